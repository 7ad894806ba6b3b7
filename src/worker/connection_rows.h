#pragma once

#include <vector>

#include "net/connection_table.h"
#include "process/child.h"

namespace stormo {

/// What the command `connections` shows of one process.
std::vector<process::ConnectionRow> connectionRows(net::ConnectionTable& table);

}  // namespace stormo
