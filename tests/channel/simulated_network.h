#pragma once

#include <string>

#include "sys/unique_fd.h"

namespace stormo::channel {

/// The network between one process and the Channel, under control of a test: bytes move only when
/// the test moves them, and the test can cut the link. A killed server's output in its kernel is
/// still delivered; a cut link loses what was in flight.
class SimulatedLink {
 public:
  /// Listens for links at `entrance` and forwards them to `exit`; both are paths of unix sockets.
  SimulatedLink(const std::string& entrance, std::string exit);

  [[nodiscard]] std::string url() const { return "unix://" + entrance_; }

  /// Accepts a link. Returns true if there was one; it replaces the previous one.
  bool accept();
  /// Moves up to `bytes` bytes. Returns true if any were moved.
  bool moveUp(std::size_t bytes) { return move(client_, server_, up_, bytes); }
  bool moveDown(std::size_t bytes) { return move(server_, client_, down_, bytes); }
  /// Returns true if there was a link.
  bool cut();

  /// True if nothing from the client is in flight.
  [[nodiscard]] bool isUpEmpty() const;
  /// True if nothing from the server is in flight.
  [[nodiscard]] bool isDownEmpty() const;

 private:
  [[nodiscard]] static bool isEmpty(const UniqueFd& from, const std::string& inFlight);
  bool move(UniqueFd& from, UniqueFd& to, std::string& inFlight, std::size_t bytes);

  const std::string entrance_;
  const std::string exit_;
  UniqueFd listener_;
  UniqueFd client_;
  UniqueFd server_;
  std::string up_;
  std::string down_;
};

}  // namespace stormo::channel
