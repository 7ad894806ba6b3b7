#pragma once

#include <string>

#include "sys/unique_fd.h"

namespace stormo::channel {

/// A way for one process's link to the Channel, which a test holds in its hand: bytes move only
/// when it says so, and it may tear the link. A server that dies still sends what it had given to
/// its kernel; a torn link loses what was on its way.
class SimulatedRoad {
 public:
  /// Listens for links at `entrance` and passes them on to `exit`: paths of unix sockets.
  SimulatedRoad(const std::string& entrance, std::string exit);

  [[nodiscard]] std::string url() const { return "unix://" + entrance_; }

  /// Takes a link that has come. True if there was one. The one before is given up.
  bool accept();
  /// Moves up to so many bytes. True if any were.
  bool moveUp(std::size_t bytes) { return move(client_, server_, up_, bytes); }
  bool moveDown(std::size_t bytes) { return move(server_, client_, down_, bytes); }
  /// True if there was a link.
  bool cut();

  /// Nothing of what the client has sent is still on its way.
  [[nodiscard]] bool isUpEmpty() const;
  /// Nor of what the server has.
  [[nodiscard]] bool isDownEmpty() const;

 private:
  [[nodiscard]] static bool isEmpty(const UniqueFd& from, const std::string& onTheWay);
  bool move(UniqueFd& from, UniqueFd& to, std::string& onTheWay, std::size_t bytes);

  const std::string entrance_;
  const std::string exit_;
  UniqueFd listener_;
  UniqueFd client_;
  UniqueFd server_;
  std::string up_;
  std::string down_;
};

}  // namespace stormo::channel
