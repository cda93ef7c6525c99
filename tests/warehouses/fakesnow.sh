#!/bin/sh
# Run target-snowflake in fakesnow, in the folder FAKESNOW_FOLDER. Meltano starts it in its project.
bin=.meltano/loaders/target-snowflake/venv/bin
exec "$bin/fakesnow" -d "$FAKESNOW_FOLDER" "$bin/target-snowflake" "$@"
