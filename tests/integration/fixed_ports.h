#pragma once

#include <cstdint>
#include <initializer_list>

namespace stormo::integration {

/// The examples listen where they say in their source. To be able to run them beside anything, this
/// process takes a network of its own, where every port is free; to be called before any thread is
/// started. Where the system does not allow that, nothing happens.
void enterPrivateNetwork();

/// Whether nobody listens on any of these.
bool portsAreFree(std::initializer_list<std::uint16_t> ports);

}  // namespace stormo::integration
