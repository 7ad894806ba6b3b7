#pragma once

#include <vector>

#include "net/connection_table.h"
#include "process/child.h"

namespace stormo {

/// One process's rows of the command `connections`.
std::vector<process::ConnectionRow> connectionRows(net::ConnectionTable& table);

}  // namespace stormo
