#pragma once

#include <cstdint>
#include <initializer_list>

namespace stormo::integration {

/// The examples listen on the ports in their source. So that these are free, this process moves to
/// a network namespace of its own. Call it before any thread is started. If the system does not
/// allow it, nothing happens.
void enterPrivateNetwork();

/// True if no process listens on any of these.
bool portsAreFree(std::initializer_list<std::uint16_t> ports);

}  // namespace stormo::integration
