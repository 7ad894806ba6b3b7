#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "access/key.h"

namespace stormo::access {

/// The keys that tokens may be signed with.
class KeySet {
 public:
  /// A JWK Set (RFC 7517 5), as an identity provider publishes it. Keys that are not for signatures
  /// and keys of unknown kinds are ignored, as it demands; so are secrets (`oct`), as a set that
  /// holds them must not be published. Throws std::invalid_argument, with a sentence for the user,
  /// if it is malformed, a key in it is, or no key is left.
  static KeySet fromJwks(std::string_view json);

  void add(Key key) { keys_.push_back(std::move(key)); }
  void add(const KeySet& other) {
    keys_.insert(keys_.end(), other.keys_.begin(), other.keys_.end());
  }

  [[nodiscard]] bool empty() const { return keys_.empty(); }
  [[nodiscard]] bool hasId(std::string_view id) const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

  /// Calls `visit` with each key that accepts the algorithm and may have signed a token that states
  /// `id`, until it returns true: the keys with that id, or if there are none, those without an id.
  /// A token without an id may be of any key. Returns whether `visit` has returned true.
  template <typename Visit>
  bool anyOf(std::string_view id, Algorithm algorithm, const Visit& visit) const {
    const bool isAny = id.empty();
    if (!isAny && !hasId(id)) id = {};
    for (const Key& key : keys_) {
      if ((isAny || key.id == id) && key.accepts(algorithm) && visit(key)) return true;
    }
    return false;
  }

 private:
  std::vector<Key> keys_;
};

}  // namespace stormo::access
