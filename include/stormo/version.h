#pragma once

/// The release, as `--version` shows it. The build fails if CMake's project version differs.
#define STORMO_VERSION "0.1.0"
