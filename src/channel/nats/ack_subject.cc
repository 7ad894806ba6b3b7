#include "channel/nats/ack_subject.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace stormo::channel {
namespace {

constexpr std::string_view kPrefix = "$JS.ACK.";

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

}  // namespace

std::optional<AckSubject> parseAckSubject(std::string_view subject) {
  if (!subject.starts_with(kPrefix)) return std::nullopt;
  subject.remove_prefix(kPrefix.size());
  std::array<std::string_view, 9> tokens;  // those of the long form; later ones are not needed
  std::size_t count = 0;
  for (bool isLast = false; !isLast && count < tokens.size();) {
    const std::size_t dot = subject.find('.');
    isLast = dot == std::string_view::npos;
    tokens[count++] = subject.substr(0, dot);
    if (!isLast) subject.remove_prefix(dot + 1);
  }
  constexpr std::size_t kShort = 7;
  if (count != kShort && count != tokens.size()) return std::nullopt;
  const std::size_t stream = count == kShort ? 0 : 2;
  const auto streamSequence = number(tokens[stream + 3]);
  const auto consumerSequence = number(tokens[stream + 4]);
  if (!streamSequence || !consumerSequence) return std::nullopt;
  return AckSubject{.streamSequence = *streamSequence, .consumerSequence = *consumerSequence};
}

}  // namespace stormo::channel
