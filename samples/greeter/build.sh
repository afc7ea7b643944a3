#!/bin/sh
# Writes the image of this sample to standard output, as a tar that every container tool can load:
#   ./samples/greeter/build.sh | ./bin/pinnace image load -
set -eu
here=$(dirname "$(readlink -f "$0")")
exec node "$here/../../scripts/run.mjs" sample-image
