# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop: any recipe, one run folder, and the same curve whether it was killed on the way or not.

A run folder holds ``settings.json``, ``log.jsonl`` (one line a logged step), ``checkpoint.pt`` (all that is needed
to go on) and, at the end, ``model.pt`` (the weights).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

Terms = dict[str, Tensor]

KEPT_FOR_TESTS = ("mhad/s08", "mhad/s09", "mhad/s10", "mhad/s11", "mhad/s12", "cmu/49", "cmu/indian")
"""Those who ask in mhad-xsub, and those whose takes are cut up in cmu-moments: a gymnast and a dancer."""


@dataclass(frozen=True)
class Settings:
    """What a run is made of; saved with it, so that a run can be repeated from its folder alone."""

    recipe: str = ""  # which encoder and losses: a name of `recipes.RECIPES`
    corpora: tuple[str, ...] = ("cmu", "mhad")  # folders of the data folder to learn from
    leave_out: tuple[str, ...] = KEPT_FOR_TESTS  # subjects that nothing is learnt from
    seed: int = 0
    steps: int = 3000
    batch: int = 32  # motions a step
    learning_rate: float = 1e-3  # Adam's, as in the paper; falls to nothing along a half cosine
    warmup: int = 100  # steps over which the rate rises first
    weight_decay: float = 0.0
    clip_gradient: float = 1.0  # largest norm: a recurrent net over 600 frames needs one
    save_every: int = 200  # steps between checkpoints, and so the most that a kill costs
    log_every: int = 20
    threads: int = 1


class Recipe(Protocol):
    """An encoder and the way it learns."""

    @property
    def model(self) -> nn.Module:
        """All that is trained."""
        ...

    @property
    def encoder(self) -> nn.Module:
        """The part of it that is evaluated and exported; in ``model`` it is called ``encoder``."""
        ...

    def loss(self, step: int) -> tuple[Tensor, Terms]:
        """The loss of one freshly drawn batch, and its terms by name for the log."""
        ...

    def after_step(self) -> None:
        """What must hold of the weights after each step (clipping)."""
        ...


class DivergedError(RuntimeError):
    """The loss is no longer a number; the message says at which step and what to try."""


def learning_rate(settings: Settings, step: int) -> float:
    """The rate at a step: a straight rise, then half a cosine down to a hundredth."""
    rise = min(1.0, (step + 1) / max(settings.warmup, 1))
    along = min(1.0, step / max(settings.steps, 1))
    return settings.learning_rate * rise * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * along)))


def fit(
    settings: Settings,
    make: Callable[[], Recipe],
    run: Path,
    report: Callable[[int, Recipe], dict[str, float]] | None = None,
) -> Recipe:
    """Trains a recipe, or goes on where the run folder's checkpoint stopped.

    Args:
        settings: of the run; must be those of the folder when it holds a checkpoint.
        make: makes the recipe, after the seed is set.
        run: the run folder, made if it is missing.
        report: figures on held-out motions for the log, asked for with every checkpoint.

    Raises:
        DivergedError: the loss became NaN or infinite.
        ValueError: the folder's checkpoint is of other settings.
    """
    run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    recipe = make()
    optimizer = torch.optim.Adam(
        recipe.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    first = _resume(settings, recipe, optimizer, run)
    (run / "settings.json").write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
    with tqdm(total=settings.steps, initial=first, desc=run.name, unit="step", dynamic_ncols=True) as bar:
        for step in range(first, settings.steps):
            terms = _step(settings, recipe, optimizer, step)
            bar.set_postfix({name: f"{value:.3f}" for name, value in terms.items()}, refresh=False)
            bar.update()
            done = step + 1
            saving = done % settings.save_every == 0 or done == settings.steps
            if saving or done % settings.log_every == 0:
                figures = report(done, recipe) if report is not None and saving else {}
                _log(run, {"step": done, **terms, **figures})
            if saving:
                _save(settings, recipe, optimizer, done, run)
    torch.save(recipe.model.state_dict(), run / "model.pt")
    return recipe


def _step(settings: Settings, recipe: Recipe, optimizer: torch.optim.Optimizer, step: int) -> dict[str, float]:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(settings, step)
    recipe.model.train()
    loss, terms = recipe.loss(step)
    if not torch.isfinite(loss):
        raise DivergedError(
            f"The loss is not a number at step {step}; resume from the last checkpoint with a lower learning rate "
            f"than {settings.learning_rate:g}, and check the data for frames that are not finite."
        )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(recipe.model.parameters(), settings.clip_gradient)
    optimizer.step()
    recipe.after_step()
    return {"loss": loss.item()} | {name: value.item() for name, value in terms.items()}


def _save(settings: Settings, recipe: Recipe, optimizer: torch.optim.Optimizer, step: int, run: Path) -> None:
    """Writes the checkpoint beside the old one and then in its place: a kill never leaves half of one."""
    state = {
        "step": step,
        "settings": json.dumps(asdict(settings)),
        "model": recipe.model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
    }
    fresh = run / "checkpoint.pt.new"
    torch.save(state, fresh)
    fresh.replace(run / "checkpoint.pt")


def _resume(settings: Settings, recipe: Recipe, optimizer: torch.optim.Optimizer, run: Path) -> int:
    """Loads the folder's checkpoint, if there is one; the step to go on with."""
    path = run / "checkpoint.pt"
    if not path.exists():
        return 0
    state: dict[str, Any] = torch.load(path, weights_only=True)
    if state["settings"] != json.dumps(asdict(settings)):
        raise ValueError(
            f"{run} holds a run of other settings; give another folder, or the settings of its settings.json."
        )
    recipe.model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    _forget_after(run, state["step"])
    return state["step"]


def _log(run: Path, line: dict[str, Any]) -> None:
    with (run / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _forget_after(run: Path, step: int) -> None:
    """Drops log lines of steps that were done after the checkpoint: they are about to be done again."""
    path = run / "log.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [
        line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step
    ]  # a kill may halve the last
    path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")


def load_encoder(run: Path, encoder: nn.Module) -> int:
    """Puts a run's weights into ``encoder``, of its last checkpoint while it is under way; returns the steps done.

    Raises:
        ValueError: the folder holds no checkpoint.
    """
    path = run / "checkpoint.pt"
    if not path.exists():
        raise ValueError(f"{run} holds no checkpoint; give the folder of a run of hums-train fit.")
    state: dict[str, Any] = torch.load(path, weights_only=True)
    prefix = "encoder."
    weights = {name.removeprefix(prefix): value for name, value in state["model"].items() if name.startswith(prefix)}
    encoder.load_state_dict(weights)
    return state["step"]
