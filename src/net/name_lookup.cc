#include "net/name_lookup.h"

#include <stormo/event_loop.h>

#include <utility>

#include "sys/detached_thread.h"

namespace stormo::net {

NameLookup::NameLookup(const std::string& host, std::uint16_t port, const Resolve& resolve,
                       Handler handler)
    : handler_(std::make_shared<const Handler>(std::move(handler))) {
  startDetachedThread([loop = EventLoop::current().handle(), toCall = std::weak_ptr(handler_), host,
                       port, resolve] {
    loop.post([toCall, outcome = resolve(host, port)] {
      if (const auto call = toCall.lock()) (*call)(outcome);
    });
  });
}

}  // namespace stormo::net
