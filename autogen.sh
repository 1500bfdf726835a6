#!/bin/sh
# autogen.sh - make configure and Makefile.in from their sources
# SPDX-License-Identifier: MIT
set -e
cd "$(dirname "$0")"
exec autoreconf --install --warnings=all "$@"
