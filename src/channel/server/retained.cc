#include "channel/server/retained.h"

#include <utility>

namespace stormo::channel {
namespace {

/// What the places in the tables take, about.
constexpr std::size_t kOverheadBytes = 200;

}  // namespace

std::size_t Retained::bytesOf(std::string_view event, std::string_view payload) {
  return kOverheadBytes + event.size() + payload.size();
}

void Retained::keep(const Packet& retain, std::uint64_t now) {
  while (!byEnd_.empty() && std::get<0>(*byEnd_.begin()) <= now) {
    const auto [until, event, key] = *byEnd_.begin();
    remove(event, key);
  }
  remove(retain.channel, retain.key);
  if (retain.until <= now) return;
  insert(retain.channel, retain.key, {retain.until, std::string(retain.payload)});
}

void Retained::insert(std::string_view event, std::uint64_t key, Kept kept) {
  bytes_ += bytesOf(event, kept.payload);
  byEnd_.emplace(kept.until, event, key);
  auto place = events_.find(event);
  if (place == events_.end()) place = events_.emplace(std::string(event), ByKey()).first;
  place->second.insert_or_assign(key, std::move(kept));
}

void Retained::remove(std::string_view event, std::uint64_t key) {
  const auto place = events_.find(event);
  if (place == events_.end()) return;
  const auto found = place->second.find(key);
  if (found == place->second.end()) return;
  bytes_ -= bytesOf(event, found->second.payload);
  byEnd_.erase({found->second.until, std::string(event), key});
  place->second.erase(found);
  if (place->second.empty()) events_.erase(place);
}

void Retained::save(StateWriter& out) const {
  out.number(byEnd_.size());
  for (const auto& [until, event, key] : byEnd_) {
    out.number(until);
    out.bytes(event);
    out.number(key);
    out.bytes(events_.find(event)->second.find(key)->second.payload);
  }
}

void Retained::restore(StateReader& in) {
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    const std::uint64_t until = in.number();
    const std::string_view event = in.bytes();
    const std::uint64_t key = in.number();
    const std::string_view payload = in.bytes();
    if (in.ok()) insert(event, key, {until, std::string(payload)});
  }
}

}  // namespace stormo::channel
