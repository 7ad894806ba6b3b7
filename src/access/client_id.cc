#include "access/client_id.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "access/base64url.h"

namespace stormo::access {
namespace {

void drawRandom(void* bytes, std::size_t count) {
  // Requests of up to 256 bytes are answered whole (getrandom(2)).
  if (::getrandom(bytes, count, 0) == static_cast<ssize_t>(count)) return;
  throw std::system_error(errno, std::generic_category(), "getrandom");
}

}  // namespace

ClientIds::ClientIds() : process_(kProcessBytes, '\0') {
  drawRandom(process_.data(), process_.size());
  drawRandom(&key_, sizeof key_);
}

std::string ClientIds::idOf(ConnectionId connection) const {
  std::string bytes = process_;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(connection >> shift & 0xff));
  }
  const std::uint64_t hash = sipHash13(key_, connection);
  for (std::size_t i = 0; i < kHashBytes; ++i) {
    bytes.push_back(static_cast<char>(hash >> (8 * i) & 0xff));
  }
  return encodeBase64url(bytes);
}

std::optional<ConnectionId> ClientIds::connectionOf(std::string_view id) const {
  const auto bytes = decodeBase64url(id);
  if (!bytes || bytes->size() != kProcessBytes + sizeof(ConnectionId) + kHashBytes) return {};
  ConnectionId connection = 0;
  for (std::size_t i = 0; i < sizeof connection; ++i) {
    connection = connection << 8 | static_cast<unsigned char>((*bytes)[kProcessBytes + i]);
  }
  if (idOf(connection) != id) return std::nullopt;
  return connection;
}

const ClientIds& clientIds() {
  static const ClientIds kIds;
  return kIds;
}

}  // namespace stormo::access
