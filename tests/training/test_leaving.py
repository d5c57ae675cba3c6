"""A run ends when its process does, and what was not recorded in it is said."""

import subprocess
import sys
from pathlib import Path

from tui_monitor.history.load import load
from tui_monitor.run_log.format.layout import State

_SCRIPT = '''
"""A script whose main thread ends first, with a hook of its own for what it does not catch."""
import atexit, os, sys, threading
import keras, numpy as np

def fit():
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((16, 2)), np.ones(16), epochs=2, batch_size=8, verbose=0)

def train():
    main.wait()
    fit()
    print("trained")

main = threading.Event()
threading.Thread(target=train).start()
child = os.fork()
if not child:
    fit()
    os._exit(0)
os.waitpid(child, 0)
sys.excepthook = lambda kind, error, trace: print(f"hooked: {error}", "fit" in str(trace.tb_frame.f_code))
atexit.register(print, "at exit")
threading._register_atexit(main.set)
raise ValueError("at the end")
'''


def test_a_thread_that_outlives_the_main_one_is_recorded(tmp_path: Path) -> None:
    """Its fit is in the run, which ends after it as the script did; that of a forked process is said to be missing."""
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    command = [sys.executable, "-m", "tui_monitor", "run", "--headless", "--runs", str(tmp_path), "--name", "run"]
    done = subprocess.run([*command, str(script)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stderr[-3000:]
    assert done.stdout.splitlines() == ["hooked: at the end False", "trained", "at exit"]
    snapshot = load(tmp_path / "run")
    assert (snapshot.state, snapshot.detail) == (State.FAILED, "ValueError: at the end")
    assert [len(fit.epochs) for fit in snapshot.fits] == [2]
    assert [entry.text for entry in snapshot.timeline if "forked" in entry.text] == [
        "A process forked from this one called fit. It is not recorded; training there goes on as ever."
    ]
