# make demo [GUI=1]   segment a real brain MRI from stored clicks
# make test           run every test, in real windows on a virtual display;
#                     WORKERS=4 takes four processes instead of two

PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
WINDOW_PACKAGES := xvfb libegl1 libgl1 libgl1-mesa-dri libopengl0 libdbus-1-3 \
    libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
    libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0

.PHONY: demo test check clean

demo: .venv/installed-all
	$(BIN)/napari-simpleclick demo --output demo_output $(if $(GUI),--gui)

# Each process of the tests has a virtual display, and so a mouse, of its own.
# Training forks processes, and windows do not outlive that: it has a run of its own.
test: .venv/installed-test
	scripts/with-packages $(WINDOW_PACKAGES) -- \
	    $(BIN)/python -m pytest -n $(WORKERS) --ignore tests/training $(ARGS)
	$(BIN)/python -m pytest -n $(WORKERS) tests/training $(ARGS)

check: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

.venv/installed-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	touch $@

clean:
	rm -rf .venv build dist demo_output
