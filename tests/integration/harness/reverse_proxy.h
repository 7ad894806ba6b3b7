#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "support/deadline.h"
#include "support/raw_peer.h"
#include "support/spawned_program.h"
#include "sys/unique_fd.h"

namespace stormo::integration {

/// The path of Debian's program of that name ("nginx", "haproxy"), which may be outside of PATH;
/// nullopt if it is not installed.
std::optional<std::string> installedProxy(const std::string& name);

/// A port of 127.0.0.1 that this object keeps bound, so that no other program gets it. A program
/// that sets SO_REUSEPORT can listen on it.
class ReservedPort {
 public:
  ReservedPort();
  [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
  UniqueFd fd_;
  std::uint16_t number_;
};

/// nginx or HAProxy, listening on a free port of 127.0.0.1. It is stopped with this object.
class ReverseProxy {
 public:
  /// A configuration with `server { … }` blocks in `http { … }`. `serverLines`: what the one server
  /// has beside its address.
  static std::unique_ptr<ReverseProxy> nginx(const test::Deadline& deadline,
                                             const std::string& folder,
                                             const std::string& serverLines);
  /// `configuration`: a whole file, in which `bind :80` becomes the free port.
  static std::unique_ptr<ReverseProxy> haproxy(const test::Deadline& deadline,
                                               const std::string& folder,
                                               std::string configuration);
  ~ReverseProxy();
  ReverseProxy(const ReverseProxy&) = delete;
  ReverseProxy& operator=(const ReverseProxy&) = delete;

  /// A client with this loopback address ("127.0.0.2").
  test::RawPeer connectFrom(const std::string& clientIp);

 private:
  explicit ReverseProxy(const test::Deadline& deadline) : deadline_(deadline) {}
  /// Starts it, and waits until it listens.
  void start(test::Words words);
  UniqueFd tryToConnect(const std::string& clientIp) const;

  const test::Deadline& deadline_;
  const ReservedPort port_;
  std::unique_ptr<test::SpawnedProgram> program_;
};

}  // namespace stormo::integration
