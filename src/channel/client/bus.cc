#include "channel/client/bus.h"

#include <stdexcept>

#include "channel/client/stormo_bus.h"
#include "channel/client/workerman_bus.h"

namespace stormo::channel {

std::unique_ptr<Bus> makeBus(std::string_view url, const BusOptions& options) {
  SocketUrl parsed = parseSocketUrl(url);
  if (parsed.isUnix() || parsed.scheme == "stormo") {
    return std::make_unique<StormoBus>(std::move(parsed), options);
  }
  if (parsed.scheme == "frame") return std::make_unique<WorkermanBus>(std::move(parsed), options);
  throw std::invalid_argument("no Channel is reached by '" + std::string(url) +
                              "' (write stormo://host:port, unix:///path or frame://host:port)");
}

}  // namespace stormo::channel
