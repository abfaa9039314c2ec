#!/usr/bin/env python3
"""Follows real runs of Lightning: nothing is odd about healthy ones, whatever their schedule; what is planted is found.

    tests/interop/trajectory_test.py --ckpt-diff PROGRAM

Also compares the norms and changes with what torch computes. Exit status: 0 all as expected (or torch or Lightning is
not installed: "skipped"), 1 something is not.
"""

import argparse
import json
import logging
import math
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

EPOCHS = 6


def imports():
    warnings.simplefilter("ignore")
    try:
        import lightning
        import torch
    except ImportError as missing:
        print(f"trajectory_test: skipped: no module {missing.name}")
        sys.exit(0)
    for name in ("lightning", "lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return lightning, torch


L, torch = imports()
nn, schedule = torch.nn, torch.optim.lr_scheduler


class Net(L.LightningModule):
    """A small network with a batch norm; `plan` is what configure_optimizers returns."""

    def __init__(self, plan, on_epoch=None, set_lr=None):
        super().__init__()
        self.plan, self.on_epoch, self.set_lr = plan, on_epoch, set_lr
        self.backbone = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU())
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        return self.head(self.backbone(x))

    def training_step(self, batch, index):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, index):
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def on_train_epoch_start(self):
        if self.on_epoch:
            self.on_epoch(self)

    def on_train_batch_start(self, batch, index):
        if self.set_lr:
            for group in self.optimizers().param_groups:
                group["lr"] = self.set_lr(self.trainer.global_step)

    def configure_optimizers(self):
        return self.plan(self)


class Gan(Net):
    """Two optimizers by hand, the second one steps every other batch."""

    def __init__(self):
        super().__init__(None)
        self.automatic_optimization = False

    def training_step(self, batch, index):
        first, second = self.optimizers()
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.manual_backward(loss)
        first.step()
        if index % 2:
            second.step()
        first.zero_grad()
        second.zero_grad()

    def configure_optimizers(self):
        return [torch.optim.Adam(self.backbone.parameters(), lr=1e-3), torch.optim.SGD(self.head.parameters(), lr=1e-2)]


class Unfreeze(L.pytorch.callbacks.BackboneFinetuning):
    def __init__(self):
        super().__init__(unfreeze_backbone_at_epoch=2, lambda_func=lambda epoch: 1.5)


def adamw(model, lr=1e-2):
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr)


def scheduled(build, interval="epoch", **more):
    def plan(model):
        optimizer = adamw(model)
        return {"optimizer": optimizer,
                "lr_scheduler": {"scheduler": build(optimizer), "interval": interval, "monitor": "val_loss", **more}}
    return plan


def frozen(model):
    model.backbone.requires_grad_(False)
    return adamw(model)


STEPS = 8 * EPOCHS
HEALTHY = {
    "constant": (lambda: Net(adamw), {}),
    "sgd": (lambda: Net(lambda m: torch.optim.SGD(m.parameters(), lr=0.02, momentum=0.9)), {}),
    "step": (lambda: Net(scheduled(lambda o: schedule.StepLR(o, 2, 0.05))), {}),
    "exponential": (lambda: Net(scheduled(lambda o: schedule.ExponentialLR(o, 0.2))), {}),
    "cosine": (lambda: Net(scheduled(lambda o: schedule.CosineAnnealingLR(o, STEPS), "step")), {}),
    "cosine-past-its-end": (lambda: Net(scheduled(lambda o: schedule.CosineAnnealingLR(o, STEPS // 3), "step")), {}),
    "restarts": (lambda: Net(scheduled(lambda o: schedule.CosineAnnealingWarmRestarts(o, 11), "step")), {}),
    "one-cycle": (lambda: Net(scheduled(lambda o: schedule.OneCycleLR(o, 0.05, total_steps=STEPS), "step")), {}),
    "cyclic": (lambda: Net(scheduled(lambda o: schedule.CyclicLR(o, 1e-5, 1e-2, 7, cycle_momentum=False), "step")), {}),
    "plateau": (lambda: Net(scheduled(lambda o: schedule.ReduceLROnPlateau(o, factor=0.01, patience=0))), {}),
    "warm-up": (lambda: Net(scheduled(lambda o: schedule.SequentialLR(
        o, [schedule.LinearLR(o, 1e-3, total_iters=12), schedule.CosineAnnealingLR(o, STEPS)], [12]), "step")), {}),
    "lambda": (lambda: Net(scheduled(lambda o: schedule.LambdaLR(o, lambda s: math.sin(s) ** 2), "step")), {}),
    "warm-up-by-hand": (lambda: Net(adamw, set_lr=lambda s: 1e-2 * min(1, s / 16)), {}),
    "schedule-by-hand": (lambda: Net(adamw, set_lr=lambda s: 1e-2 * (s / 12 if s < 12 else (1 - s / STEPS) ** 2)), {}),
    "frozen": (lambda: Net(frozen), {}),
    "gan": (Gan, {}),
    "swa": (lambda: Net(scheduled(lambda o: schedule.StepLR(o, 2, 0.5))),
            {"callbacks": [L.pytorch.callbacks.StochasticWeightAveraging(5e-2, swa_epoch_start=3)]}),
    "ema": (lambda: Net(adamw), {"callbacks": [L.pytorch.callbacks.EMAWeightAveraging(decay=0.9)]}),
    "accumulate": (lambda: Net(adamw), {"accumulate_grad_batches": 3}),
    "bf16": (lambda: Net(adamw), {"precision": "bf16-true"}),
    "mixed": (lambda: Net(adamw), {"precision": "bf16-mixed"}),
    "mid-epoch": (lambda: Net(adamw), {"every": 3}),
}


def freeze_later(model):
    if model.current_epoch == 3:
        model.backbone.requires_grad_(False)
        model.backbone[1].eval()


def start_later(model):
    if model.current_epoch in (0, 3):
        model.backbone.requires_grad_(model.current_epoch == 3)


def raise_rate(model):
    if model.current_epoch == 3:
        for group in model.optimizers().param_groups:
            group["lr"] = 0.5


def forget(model):
    if model.current_epoch == 3:
        model.optimizers().optimizer.state.clear()


def poison(model):
    if model.current_epoch == 4:
        with torch.no_grad():
            model.head.weight[0, 0] = float("nan")


# The kinds that must be among what is odd.
ODD = {
    "nan": (lambda: Net(adamw, on_epoch=poison), {}, {"nonfinite", "score-worse"}),
    "stopped": (lambda: Net(adamw, on_epoch=freeze_later), {}, {"stopped"}),
    "started": (lambda: Net(adamw, on_epoch=start_later), {}, {"started"}),
    "rate": (lambda: Net(adamw, on_epoch=raise_rate), {}, {"rate-jump"}),
    "rate-against-its-scheduler": (lambda: Net(scheduled(lambda o: schedule.ExponentialLR(o, 0.9)), on_epoch=raise_rate),
                                   {}, {"rate-jump"}),
    "optimizer-reset": (lambda: Net(adamw, on_epoch=forget), {}, {"step-back"}),
}


def train(folder, build, callbacks=(), every=None, **options):
    L.seed_everything(7, verbose=False)
    x = torch.randn(64, 4)
    data = torch.utils.data.TensorDataset(x, (x.sum(1) > 0).long())
    often = {"every_n_train_steps": every} if every else {"monitor": "val_loss"}
    saving = L.pytorch.callbacks.ModelCheckpoint(dirpath=folder, save_top_k=-1, save_last=True, **often)
    trainer = L.Trainer(accelerator="cpu", devices=1, max_epochs=EPOCHS, logger=False, callbacks=[saving, *callbacks],
                        enable_progress_bar=False, enable_model_summary=False, **options)
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    trainer.fit(build(), loader, loader)


def follow(program, folder):
    run = subprocess.run([program, "--trajectory", "--format", "json", str(folder)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def weights_of(path):
    state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    return {name: value.double() for name, value in state.items()
            if value.is_floating_point() and not name.endswith(("running_mean", "running_var"))}


def norm(tensors):
    return math.sqrt(sum(float((t * t).sum()) for t in tensors))


def wrong_numbers(document):
    """Rows whose norm or changes are not those that torch computes."""
    points = [weights_of(row["path"]) for row in document["trajectory"]]
    for k, (row, now) in enumerate(zip(document["trajectory"], points)):
        expected = {"norm": norm(now.values())}
        if k > 0:
            for name, other in (("change_previous", points[k - 1]), ("change_base", points[0])):
                expected[name] = norm(now[n] - other[n] for n in now) / norm(other.values())
        for name, value in expected.items():
            if math.isfinite(value) and not math.isclose(row[name], value, rel_tol=1e-9):
                yield f"{row['path']}: {name} is {row[name]}, torch says {value}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ckpt-diff", required=True)
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as work:
        cases = [(name, build, more, set()) for name, (build, more) in HEALTHY.items()]
        cases += [(name, build, more, kinds) for name, (build, more, kinds) in ODD.items()]
        for name, build, more, kinds in cases:
            if options.cases and name not in options.cases:
                continue
            train(Path(work) / name, build, **more)
            document = follow(os.path.abspath(options.ckpt_diff), Path(work) / name)
            found = {odd["kind"] for odd in document["odd"]}
            if not kinds and found or not kinds <= found:
                failures.append(f"{name}: expected {sorted(kinds)}, found {[(o['input'], o['text']) for o in document['odd']]}")
            failures += [f"{name}: {text}" for text in wrong_numbers(document)]
    for text in failures:
        print(text)
    print(f"trajectory_test: {len(HEALTHY)} healthy runs, {len(ODD)} with something planted, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
