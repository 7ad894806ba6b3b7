#include "access/revocations.h"

namespace stormo::access {
namespace {

bool isBefore(const Token& token, std::optional<UnixSeconds> time) {
  return !time || !token.issued || *token.issued < *time;
}

}  // namespace

bool Revocations::add(const Entry& entry, UnixSeconds now) {
  while (!ends_.empty() && ends_.begin()->until <= now) forgetFirst();
  forget(entry.of, entry.name);
  if (entry.until <= now) return true;
  const bool hasRoom = ends_.size() < entriesMax_;
  if (!hasRoom) forgetFirst();
  const auto added = tableOf(entry.of).emplace(
      entry.name, Revoked{.issuedBefore = entry.issuedBefore, .until = entry.until});
  ends_.insert({.until = entry.until, .of = entry.of, .name = &added.first->first});
  return hasRoom;
}

void Revocations::forget(Of of, const std::string& name) {
  Table& table = tableOf(of);
  const auto found = table.find(name);
  if (found == table.end()) return;
  ends_.erase({.until = found->second.until, .of = of, .name = &found->first});
  table.erase(found);
}

void Revocations::forgetFirst() {
  const End first = *ends_.begin();
  ends_.erase(ends_.begin());
  Table& table = tableOf(first.of);
  table.erase(table.find(*first.name));
}

bool Revocations::revoke(const Token& token, UnixSeconds now) const {
  return holds(users_, token.user, token, now) ||
         (!token.id.empty() && holds(tokens_, token.id, token, now));
}

bool Revocations::holds(const Table& table, const std::string& name, const Token& token,
                        UnixSeconds now) {
  if (table.empty()) return false;
  const auto found = table.find(name);
  return found != table.end() && now < found->second.until &&
         isBefore(token, found->second.issuedBefore);
}

bool Revocations::revokes(const Entry& entry, const Token& token) {
  const std::string& name = entry.of == Of::User ? token.user : token.id;
  return name == entry.name && isBefore(token, entry.issuedBefore);
}

}  // namespace stormo::access
