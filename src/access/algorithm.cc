#include "access/algorithm.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace stormo::access {
namespace {

struct Row {
  std::string_view name;
  Algorithm algorithm;
  KeyKind kind;
};

// In the order of Algorithm, so algorithms of one kind are together.
constexpr std::array<Row, 9> kRows = {{
    {"HS256", Algorithm::HS256, KeyKind::Secret},
    {"HS384", Algorithm::HS384, KeyKind::Secret},
    {"HS512", Algorithm::HS512, KeyKind::Secret},
    {"RS256", Algorithm::RS256, KeyKind::Rsa},
    {"RS384", Algorithm::RS384, KeyKind::Rsa},
    {"RS512", Algorithm::RS512, KeyKind::Rsa},
    {"ES256", Algorithm::ES256, KeyKind::P256},
    {"ES384", Algorithm::ES384, KeyKind::P384},
    {"EdDSA", Algorithm::EdDSA, KeyKind::Ed25519},
}};

constexpr auto kAlgorithms = [] {
  std::array<Algorithm, kRows.size()> all{};
  for (std::size_t i = 0; i < kRows.size(); ++i) all[i] = kRows[i].algorithm;
  return all;
}();

const Row& rowOf(Algorithm algorithm) { return kRows[static_cast<std::size_t>(algorithm)]; }

}  // namespace

std::string_view nameOf(Algorithm algorithm) { return rowOf(algorithm).name; }

std::optional<Algorithm> algorithmNamed(std::string_view name) {
  const auto* const row = std::ranges::find(kRows, name, &Row::name);
  if (row == kRows.end()) return std::nullopt;
  return row->algorithm;
}

std::span<const Algorithm> algorithmsFor(KeyKind kind) {
  const auto isOfKind = [kind](const Row& row) { return row.kind == kind; };
  const auto* const first = std::find_if(kRows.begin(), kRows.end(), isOfKind);
  const auto count = std::count_if(kRows.begin(), kRows.end(), isOfKind);
  return std::span(kAlgorithms)
      .subspan(static_cast<std::size_t>(first - kRows.begin()), static_cast<std::size_t>(count));
}

}  // namespace stormo::access
