#include "server/token_keys.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace stormo::server {
namespace {

std::vector<access::Algorithm> algorithmsOf(const TokenKey& key) {
  std::vector<access::Algorithm> algorithms;
  for (const std::string& name : key.algorithms) {
    const auto algorithm = access::algorithmNamed(name);
    if (!algorithm) throw std::invalid_argument(fmt::format("unknown algorithm '{}'", name));
    algorithms.push_back(*algorithm);
  }
  return algorithms;
}

void add(const TokenKey& given, access::KeySet& keys) {
  const int count = !given.secret.empty() + !given.publicKey.empty() + !given.keySet.empty();
  if (count != 1) {
    throw std::invalid_argument("a key of tokens is a secret, a public key or a key set");
  }
  if (!given.keySet.empty()) return keys.add(access::KeySet::fromJwks(given.keySet));
  access::Key key = given.secret.empty() ? access::Key::fromPem(given.publicKey)
                                         : access::Key::secret(given.secret);
  key.id = given.id;
  if (!given.algorithms.empty()) key.restrictTo(algorithmsOf(given));
  keys.add(std::move(key));
}

}  // namespace

access::KeySet keySetOf(const std::vector<TokenKey>& given) {
  access::KeySet keys;
  for (const TokenKey& key : given) add(key, keys);
  return keys;
}

}  // namespace stormo::server
