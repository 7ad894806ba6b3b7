#include "net/tls/ticket_keys.h"

#include <openssl/rand.h>

#include <cstring>
#include <new>

namespace stormo::net {
namespace {

TicketKeys::Key randomKey() {
  TicketKeys::Key key;
  static_assert(sizeof key == 80);  // without padding
  if (::RAND_bytes(reinterpret_cast<unsigned char*>(&key), sizeof key) != 1) throw std::bad_alloc();
  return key;
}

}  // namespace

TicketKeys::TicketKeys() : current_(randomKey()), previous_(current_) {}

const TicketKeys::Key* TicketKeys::find(const unsigned char* name) const {
  for (const Key* key : {&current_, &previous_}) {
    if (std::memcmp(key->name.data(), name, key->name.size()) == 0) return key;
  }
  return nullptr;
}

void TicketKeys::rotate() {
  previous_ = current_;
  current_ = randomKey();
}

std::string TicketKeys::encode() const {
  std::string bytes(kBytes, '\0');
  std::memcpy(bytes.data(), &current_, sizeof current_);
  std::memcpy(bytes.data() + sizeof current_, &previous_, sizeof previous_);
  return bytes;
}

std::optional<TicketKeys> TicketKeys::decode(std::string_view bytes) {
  if (bytes.size() != kBytes) return std::nullopt;
  TicketKeys keys;
  std::memcpy(&keys.current_, bytes.data(), sizeof keys.current_);
  std::memcpy(&keys.previous_, bytes.data() + sizeof keys.current_, sizeof keys.previous_);
  return keys;
}

}  // namespace stormo::net
