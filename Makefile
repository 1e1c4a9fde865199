# make demo [GUI=1]   segment a real brain MRI from stored clicks
# make test           run every test, in real windows on a virtual display;
#                     WORKERS=4 takes four processes instead of two
# make test-oldest    the same with the oldest releases that pyproject.toml allows

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
WINDOW_PACKAGES := xvfb libegl1 libgl1 libgl1-mesa-dri libopengl0 libdbus-1-3 \
    libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
    libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0

.PHONY: demo test test-oldest check clean

demo: $(VENV)/installed-all
	$(BIN)/napari-simpleclick demo --output demo_output $(if $(GUI),--gui)

# Each process of the tests has a virtual display, and so a mouse, of its own.
# Training forks processes, and windows do not outlive that: it has a run of its own.
test: $(VENV)/installed-test
	scripts/with-packages $(WINDOW_PACKAGES) -- \
	    $(BIN)/python -m pytest -n $(WORKERS) --ignore tests/training $(ARGS)
	$(BIN)/python -m pytest -n $(WORKERS) tests/training $(ARGS)

# Old releases warn of each other, hence no warning is an error there.
test-oldest: .venv-oldest/installed-test
	$(MAKE) test VENV=.venv-oldest ARGS='-W default $(ARGS)'

check: $(VENV)/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

$(VENV)/installed-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	touch $@

# timm asks for any torchvision, but only the one of the same time goes with a torch.
.venv-oldest/installed-test: pyproject.toml
	test -x .venv-oldest/bin/python || $(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet uv
	.venv-oldest/bin/uv pip install --quiet --python .venv-oldest --resolution \
	    lowest-direct --editable '.[test]' 'torchvision==0.21.*'
	touch $@

clean:
	rm -rf .venv .venv-oldest build dist demo_output
