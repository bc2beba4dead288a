# The commands of the project. Each one makes its virtual environment first, when that is missing or out of date.
# Only Python >= 3.11 and make have to be there; `make help` lists the targets.

# Settings of this checkout, as AUTH_PORT=3001 on a line each.
-include .env

ifndef PYTHON
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && exit; done; echo python3)
endif
DEV = .venv/bin/python -m dev
PORTS = AUTH_PORT TASKS_PORT BILLING_PORT ANALYTICS_PORT MAIL_PORT SMTP_PORT IMAP_PORT POSTGRES_PORT KAFKA_PORT \
	KAFKA_CONTROLLER_PORT REGISTRY_PORT REGISTRY_MANAGEMENT_PORT VALKEY_PORT
export $(PORTS)
# Python keeps what it compiled, also where the environment says no: all processes start twice as fast.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help bootstrap demo test lint e2e pictures bench clean shell logs psql migrations lock warm cold stop start memory close

help: ## list the targets
	@grep -E '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## (.*)/  make \1\t\2/' | expand -t 18

bootstrap: ## make .venv from the lock (every other target does it first)
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and $(PYTHON) was not found." \
		"Install it (Debian: apt-get install python3 python3-venv; macOS: brew install python)." >&2; exit 1; }
	@$(PYTHON) dev/bootstrap.py

demo: bootstrap ## run the whole product with thirty business days of history, until Ctrl-C (less: make demo days=5)
	@$(DEV) demo $(if $(days),--days $(days))

test: bootstrap ## prove everything; one service on warm servers: make test s=billing k=reopen
	@$(DEV) test $(if $(s),--suite "$(s)") $(if $(k),-k "$(k)")

lint: bootstrap ## ruff, import-linter and mypy alone
	@$(DEV) lint

e2e: bootstrap ## the browser tests alone: make e2e k=reassign
	@$(DEV) test --suite e2e $(if $(k),-k "$(k)")

pictures: bootstrap ## take the pictures of the README anew, of a demo with thirty business days
	@mkdir -p docs/pictures
	@TRACKER_PICTURES=$(CURDIR)/docs/pictures TRACKER_PICTURES_DAYS=30 $(DEV) test --suite demo

bench: bootstrap ## measure throughput and latency, write bench/results.json
	@.venv/bin/python -m bench

clean: bootstrap ## forget the demo's data
	@$(DEV) clean

shell: bootstrap ## Python shell in a service of the running demo: make shell s=billing
	@$(DEV) shell "$(s)"

logs: bootstrap ## follow the logs of a service of the demo: make logs s=billing
	@$(DEV) logs "$(s)"

psql: bootstrap ## database prompt of a service of the running demo: make psql s=billing
	@$(DEV) psql "$(s)"

migrations: bootstrap ## write the migrations that changed models need: make migrations s=billing
	@$(DEV) migrations "$(s)"

close: bootstrap ## close the demo's open billing cycle now, as if it were due
	@$(DEV) manage billing close_due_cycles --as-if-due

memory: bootstrap ## memory of all processes of the running demo
	@$(DEV) memory

stop: bootstrap ## take a server from the running demo: make stop p=kafka
	@$(DEV) stop "$(p)"

start: bootstrap ## start it again: make start p=kafka
	@$(DEV) start "$(p)"

warm: bootstrap ## start servers that stay up for `make test s=`
	@$(DEV) warm up

cold: bootstrap ## stop and forget them
	@$(DEV) warm down

lock: bootstrap ## write all lock files anew; with newer versions: make lock upgrade=1
	@$(DEV) lock $(if $(upgrade),--upgrade)
