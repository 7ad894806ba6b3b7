#include "protocol/package/text_line.h"

namespace stormo {

PackageLength lineLength(std::string_view in, std::size_t lineBytesMax, std::size_t searched) {
  const std::size_t end = in.substr(0, lineBytesMax).find('\n', searched);
  if (end != std::string_view::npos) return PackageLength::complete(end + 1);
  return in.size() < lineBytesMax ? PackageLength::needMore() : PackageLength::invalid();
}

std::string_view decodeLine(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void appendLine(std::string_view text, std::string& out) {
  out.append(text);
  out.push_back('\n');
}

}  // namespace stormo
