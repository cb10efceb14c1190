#!/bin/bash
# Write the hashes of what the lock files name: `name==version` is what a person writes there, one a line.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

for lock in *.lock; do
    # The versions are as they were written: nothing is added, and no index is named.
    { grep '^#' "$lock" || true; grep -oE '^[A-Za-z0-9._-]+==[^ ;\\]+' "$lock" |
        ../../.setup/uv/bin/uv pip compile - --quiet --no-config --no-deps --generate-hashes --no-header \
            --no-annotate --python-version 3.11; } >"$lock.new"
    mv "$lock.new" "$lock"
done
