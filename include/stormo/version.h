#pragma once

/// The release, as `--version` tells it. The build fails if CMake's project version differs.
#define STORMO_VERSION "0.1.0"
