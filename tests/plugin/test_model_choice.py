"""The dock's model: what a user does not wait for, once it is loaded."""

import os
import subprocess
import sys


def test_start_imports_no_library_that_could_be_there() -> None:
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from napari.components import ViewerModel\n"
        "from qtpy.QtWidgets import QApplication\n"
        "from napari_simpleclick.plugin.controller import SegmentationController\n"
        "from napari_simpleclick.plugin.model_choice import ModelChoice\n"
        "from tests.plugin.conftest import InlineRunner\n"
        "application = QApplication([])\n"
        "viewer = ViewerModel()\n"
        "image = viewer.add_image(np.zeros((4, 20, 20)))\n"
        "controller = SegmentationController(viewer, InlineRunner())\n"
        "ModelChoice(controller).load()\n"
        "assert controller.predictor is not None\n"
        "before = set(sys.modules)\n"
        "controller.start(image)\n"
        "new = set(sys.modules) - before\n"
        "assert len(new) < 20, sorted(new)\n"
    )
    hidden = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, "-c", code], check=True, env=hidden)
