#!/usr/bin/env python3
"""ckpt-lint --watch on files that appear as programs write them: at once, slowly, renamed, linked, replaced, as a folder;
with a real Trainer where Lightning is installed.

    tests/interop/watch_test.py --bin build/release
"""

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "fixtures"
OLD, NEW = FIXTURES / "pairs/resumed/old.ckpt", FIXTURES / "pairs/resumed/new.ckpt"
NAN = FIXTURES / "variants/nan_weight.ckpt"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Failed(Exception):
    pass


class Watch:
    def __init__(self, programs, folder, *options):
        self.folder = folder
        self.log = folder.parent / "log"
        with open(self.log, "w") as out:
            self.child = subprocess.Popen([programs / "ckpt-lint", *options, "--watch", folder], stdout=out,
                                          stderr=subprocess.STDOUT)
        self.until("watching ")

    def lines(self):
        return [line.split("  ", 1)[1] for line in self.log.read_text().splitlines() if "  " in line]

    def until(self, words, seconds=15):
        end = time.time() + seconds
        while time.time() < end:
            for line in self.lines():
                if words in line:
                    return line
            time.sleep(0.05)
        raise Failed(f"nothing says {words!r} in {seconds} s:\n{self.log.read_text()}")

    def end(self, status, sign=signal.SIGTERM):
        self.child.send_signal(sign)
        found = self.child.wait(30)
        self.check(f"the status is {status}, not {found}", found == status)
        self.check("the last line sums up", self.lines()[-1].startswith("watched "))
        return self.lines()

    def check(self, what, holds):
        if not holds:
            raise Failed(f"{what}:\n{self.log.read_text()}")


@test
def a_run_is_told_line_by_line(programs, run):
    shutil.copy(OLD, run / "epoch0.ckpt")
    watch = Watch(programs, run)
    shutil.copy(NEW, run / "epoch1.ckpt")
    line = watch.until("epoch1.ckpt  ")
    watch.check("it is clean, and compared", "step 12" in line and "  clean  against epoch0.ckpt: different: " in line)
    (run / "last.ckpt").symlink_to("epoch1.ckpt")
    os.link(run / "epoch1.ckpt", run / "hard.ckpt")
    (run / "notes.txt").write_text("x")
    time.sleep(3)
    lines = watch.end(0)
    watch.check("other names and other files are not told", len(lines) == 3)


@test
def the_worst_at_the_end_is_the_status(programs, run):
    watch = Watch(programs, run)
    (run / "a/b").mkdir(parents=True)
    shutil.copy(NAN, run / "a/b/model.ckpt")
    watch.check("a finding is named", "1 error: weights-nonfinite at " in watch.until("a/b/model.ckpt  "))
    watch.end(1, signal.SIGINT)
    watch = Watch(programs, run, "--fail-on", "never")
    shutil.copy(NAN, run / "again.ckpt")
    watch.until("again.ckpt")
    watch.end(0)


@test
def a_file_that_is_written_slowly_is_waited_for(programs, run):
    watch = Watch(programs, run)
    data = NEW.read_bytes()
    with open(run / "slow.ckpt", "wb") as file:
        for start in range(0, len(data), 3000):
            watch.check("nothing is said of a part", len(watch.lines()) == 1)
            file.write(data[start:start + 3000])
            file.flush()
            time.sleep(1.3)
    watch.check("but of the whole", "clean" in watch.until("slow.ckpt"))
    (run / "tmp").write_bytes(data)
    os.rename(run / "tmp", run / "renamed.ckpt")
    watch.until("renamed.ckpt")
    watch.end(0)


@test
def a_file_that_stays_cut_is_trouble_until_it_is_replaced(programs, run):
    watch = Watch(programs, run)
    (run / "cut.ckpt").write_bytes(NEW.read_bytes()[:3000])
    watch.until("cut.ckpt  not read: ")
    shutil.copy(NEW, run / "cut.ckpt")
    watch.until("cut.ckpt  Lightning")
    watch.end(0)
    watch = Watch(programs, run)
    (run / "late.ckpt").write_bytes(NEW.read_bytes()[:3000])
    time.sleep(0.3)
    watch.check("at the end, nothing is waited for", any("late.ckpt  not read" in line for line in watch.end(2)))


@test
def a_file_that_is_replaced_is_compared_with_what_it_was(programs, run):
    watch = Watch(programs, run)
    shutil.copy(OLD, run / "last.ckpt")
    watch.until("last.ckpt  ")
    shutil.copy(NEW, run / "tmp")
    os.rename(run / "tmp", run / "last.ckpt")
    watch.until("  against last.ckpt: different: ")
    watch.end(0)


@test
def another_folder_is_another_run(programs, run):
    (run / "version_0").mkdir()
    shutil.copy(NEW, run / "version_0/last.ckpt")
    watch = Watch(programs, run)
    (run / "version_1").mkdir()
    shutil.copy(OLD, run / "version_1/first.ckpt")
    line = watch.until("version_1/first.ckpt")
    watch.check("it is not compared, and steps may begin anew", line.endswith("  clean"))
    shutil.copy(OLD, run / "version_0/back.ckpt")
    watch.check("in a run they may not", "cross-step-regressed" in watch.until("version_0/back.ckpt"))
    watch.end(1)


@test
def a_folder_is_one_checkpoint(programs, run):
    watch = Watch(programs, run)
    shutil.copytree(FIXTURES / "valid/formats/dcp-4", run / "step=3")
    watch.until("step=3  PyTorch training checkpoint")
    watch.end(0)


@test
def without_inotify_the_folder_is_looked_at(programs, run):
    libc = ctypes.CDLL(None)
    taken = []
    while (fd := libc.inotify_init1(os.O_CLOEXEC)) >= 0 and len(taken) < 100000:
        taken.append(fd)
    try:
        watch = Watch(programs, run)
        shutil.copy(NEW, run / "a.ckpt")
        watch.until("a.ckpt  ")
        watch.end(0)
    finally:
        for fd in taken:
            os.close(fd)


@test
def a_folder_that_is_not_there_and_options_without_use_are_errors(programs, run):
    for words in (["--watch", run / "nothing"], ["--watch", OLD], ["--watch", run, OLD], ["--watch", run, "-f", "json"],
                  ["--watch", run, "--rules", "nothing.yaml"], ["--watch", run, "--select", "no-such-rule"],
                  ["--watch", run, "--update-baseline"]):
        done = subprocess.run([programs / "ckpt-lint", *words], capture_output=True, text=True, timeout=30)
        if done.returncode != 2 or done.stderr.count("\n") != 1:
            raise Failed(f"{words}: {done}")


TRAINER = """
import sys, warnings, torch, lightning as L
warnings.filterwarnings("ignore")
class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(4, 1)
    def training_step(self, batch, _):
        loss = self.net(batch[0]).pow(2).mean()
        self.log("loss", loss)
        return loss
    def on_train_epoch_start(self):
        if self.current_epoch == 3:
            with torch.no_grad():
                self.net.weight[0, 0] = float("nan")
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.1)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(16, 4)), batch_size=4)
keep = L.pytorch.callbacks.ModelCheckpoint(dirpath=sys.argv[1], save_top_k=-1, save_last=True)
L.Trainer(max_epochs=4, callbacks=[keep], logger=False, enable_progress_bar=False, enable_model_summary=False,
          accelerator="cpu").fit(Model(), data)
"""


@test
def a_real_trainer_is_watched(programs, run):
    if subprocess.run([sys.executable, "-c", "import lightning"], capture_output=True).returncode != 0:
        print("watch_test: Lightning is not installed: no real Trainer was watched")
        return
    watch = Watch(programs, run)
    subprocess.run([sys.executable, "-c", TRAINER, run], check=True, capture_output=True)
    watch.check("the last epoch has NaN", "weights-nonfinite" in watch.until("epoch=3-step=16.ckpt  "))
    for step in (4, 8, 12):
        watch.check(f"step {step} is clean", "  clean, 1 note" in watch.until(f"step={step}.ckpt  "))
    watch.until("against epoch=1-step=8.ckpt: ")
    time.sleep(2)
    watch.end(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, type=Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    failed = 0
    for run in TESTS:
        if options.names and run.__name__ not in options.names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "run").mkdir()
            try:
                run(options.bin.resolve(), Path(folder) / "run")
            except Failed as error:
                failed += 1
                print(f"watch_test: FAILED: {run.__name__.replace('_', ' ')}: {error}", file=sys.stderr)
    print(f"watch_test: {len(TESTS)} tests, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
