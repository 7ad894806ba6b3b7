#pragma once

#include <cstddef>
#include <string>

namespace stormo::channel {

/// How the processes of this program reach the Channel that it declares. Set in the master, before
/// the first fork.
struct OwnChannel {
  std::string url = {};  ///< Empty: the program declares none.
  std::string secret = {};
  std::size_t frameBytesMax = 0;
};

inline OwnChannel& ownChannel() {
  static OwnChannel own;
  return own;
}

}  // namespace stormo::channel
