"""The same command on real worker processes, of which one is killed half-way."""

import csv
import json
import os
import signal
import sys
import time
from threading import Event, Thread

import distributed
import numpy as np
import pytest
import torch
from dask.system import cpu_count
from skimage.io import imsave

from napari_simpleclick.cli import main
from napari_simpleclick.evaluation.cluster import open_cluster
from napari_simpleclick.evaluation.datasets import open_dataset
from napari_simpleclick.evaluation.models import EvaluatedModel, open_model
from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick

N_IMAGES, N_OBJECTS = 12, 48
TINY = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (root / folder).mkdir()
    for number in range(N_IMAGES):
        image = rng.integers(0, 256, (50, 70), dtype=np.uint8)
        mask = np.zeros(image.shape, np.uint8)
        for label, (row, col) in enumerate(((2, 5), (2, 40), (30, 5), (30, 40)), 1):
            mask[row : row + 10 + number, col : col + 20] = label
        name = f"{number:02}.png"
        imsave(root / "images" / name, image, check_contrast=False)
        imsave(root / "masks" / name, mask, check_contrast=False)
    return root


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_checkpoint(SimpleClick(TINY), path)
    return path


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        memory_limit=None,
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        yield cluster


def evaluate(root, checkpoint, output, *options):
    where = ["--dataset", "folder", "--root", str(root), "--output", str(output)]
    model = ["--model", str(checkpoint), "--device", "cpu", "--max-clicks", "6"]
    return main(["evaluate", *where, *model, *options])


@pytest.fixture(scope="module")
def alone(root, checkpoint, tmp_path_factory):
    output = tmp_path_factory.mktemp("alone")
    assert evaluate(root, checkpoint, output) == 0
    return output


def rows(output):
    """The table without its timings."""
    with (output / "objects.csv").open(newline="") as file:
        return [row | {"seconds": None} for row in csv.DictReader(file)]


def kill_one_when(n_done, table, cluster, killed, is_over):
    """Kill a worker process as soon as the table has rows of some objects."""
    while not is_over.wait(0.005):
        n_rows = table.read_bytes().count(b"\n") - 1 if table.is_file() else 0
        if n_rows >= n_done:
            os.kill(cluster.workers[0].pid, signal.SIGKILL)
            killed.append(n_rows)
            return


def test_a_killed_worker_loses_nothing_and_repeats_nothing(
    root, checkpoint, alone, cluster, tmp_path
):
    killed, is_over = [], Event()
    arguments = (N_OBJECTS // 4, tmp_path / "objects.csv", cluster, killed, is_over)
    killer = Thread(target=kill_one_when, args=arguments)
    killer.start()
    address = cluster.scheduler_address
    assert evaluate(root, checkpoint, tmp_path, "--cluster", address) == 0
    is_over.set()
    killer.join()
    (n_done,) = killed
    assert N_OBJECTS // 4 <= n_done < N_OBJECTS
    assert len(rows(tmp_path)) == N_OBJECTS
    assert rows(tmp_path) == rows(alone)
    one, many = (json.loads((o / "report.json").read_text()) for o in (alone, tmp_path))
    assert many["miou_at"] == one["miou_at"]
    assert many["settings"]["cluster"] == f"2 workers at {address}"


def test_the_rest_of_an_interrupted_run_is_done_on_a_cluster(
    root, checkpoint, alone, cluster, tmp_path
):
    assert evaluate(root, checkpoint, tmp_path) == 0
    table = tmp_path / "objects.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:1] + lines[20:30]))
    address = cluster.scheduler_address
    assert evaluate(root, checkpoint, tmp_path, "--cluster", address) == 0
    assert rows(tmp_path) == rows(alone)
    assert set(lines[20:30]) < set(table.read_text().splitlines(keepends=True))


def test_local_workers_and_batches(root, checkpoint, alone, tmp_path, capsys):
    options = ["--cluster", "1", "--batch-size", "5"]
    assert evaluate(root, checkpoint, tmp_path, *options) == 0
    told = capsys.readouterr().err
    assert f"{N_IMAGES}/{N_IMAGES}" in told
    assert f"objects={N_OBJECTS}" in told
    for one, other in zip(rows(tmp_path), rows(alone), strict=True):
        assert one["object"] == other["object"]
        assert float(one["iou_6"]) == pytest.approx(float(other["iou_6"]), abs=0.05)


def opened(checkpoint, folder, threads):
    """Open a model, and leave a note of the process that did."""
    (folder / f"{os.getpid()}-{time.monotonic_ns()}").write_text(str(threads))
    return open_model(str(checkpoint), device="cpu", flip=False)


def test_a_model_is_opened_once_a_worker(root, checkpoint, cluster, tmp_path):
    model = open_model(str(checkpoint), device="cpu", flip=False)
    address, opener = (
        cluster.scheduler_address,
        lambda threads: opened(checkpoint, tmp_path, threads),
    )
    with open_cluster(address, {"tiny": opener}) as workers:
        samples = open_dataset("folder", root)
        results = list(workers.evaluate(model, samples, 1, 1))
    assert len(results) == N_OBJECTS
    processes = [note.name.split("-")[0] for note in tmp_path.iterdir()]
    assert len(processes) == len(set(processes)) == 2
    assert str(os.getpid()) not in processes
    threads = {note.read_text() for note in tmp_path.iterdir()}
    assert threads == {str(max(1, cpu_count() // 2))}


def test_another_file_on_a_worker_is_refused(root, checkpoint, cluster):
    model = open_model(str(checkpoint), device="cpu", flip=False)
    other = EvaluatedModel("tiny", model.predictor, "ab")
    opener = {"tiny": lambda threads: model}
    with (
        open_cluster(cluster.scheduler_address, opener) as workers,
        pytest.raises(ValueError, match=r"tiny with SHA-256 .*, expected ab"),
    ):
        list(workers.evaluate(other, open_dataset("folder", root), 1, 1))


@pytest.mark.parametrize(
    ("address", "told"),
    [("0", "0 workers, expected at least 1"), ("nonsense://x", "no scheduler at")],
)
def test_no_cluster_is_one_sentence(root, checkpoint, tmp_path, address, told, capsys):
    assert evaluate(root, checkpoint, tmp_path, "--cluster", address) == 1
    assert told in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    root, checkpoint, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "napari_simpleclick.evaluation.cluster")
    assert evaluate(root, checkpoint, tmp_path, "--cluster") == 1
    assert 'pip install "napari-simpleclick[cluster]"' in capsys.readouterr().err
