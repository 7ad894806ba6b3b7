#include "net/tls/tls_material.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "base/bytes.h"
#include "sys/error_text.h"

namespace stormo::net {
namespace {

void put(std::string& to, std::string_view field) {
  char size[sizeof(std::uint32_t)];
  storeBigEndian(size, static_cast<std::uint32_t>(field.size()));
  to.append(size, sizeof size).append(field);
}

/// Takes what put() has appended; nullopt if the bytes end before.
std::optional<std::string> take(std::string_view& from) {
  if (from.size() < sizeof(std::uint32_t)) return std::nullopt;
  const std::size_t size = loadBigEndian<std::uint32_t>(from.data());
  from.remove_prefix(sizeof(std::uint32_t));
  if (from.size() < size) return std::nullopt;
  std::string field(from.substr(0, size));
  from.remove_prefix(size);
  return field;
}

}  // namespace

std::string readTlsFile(std::string_view what, const std::string& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream content;
  if (stream.peek() != std::ifstream::traits_type::eof()) content << stream.rdbuf();
  if (errno != 0 || !stream.is_open()) {
    throw std::invalid_argument(
        fmt::format("{} '{}': {}", what, file, errno == 0 ? "cannot be read" : errorText(errno)));
  }
  return std::move(content).str();
}

TlsMaterial TlsMaterial::read(const Tls& settings) {
  TlsMaterial read;
  for (const auto& [certificateFile, givenKeyFile] : settings.certificates) {
    const std::string& keyFile = givenKeyFile.empty() ? certificateFile : givenKeyFile;
    read.certificates.push_back(
        {.certificateFile = certificateFile,
         .certificate = readTlsFile("the certificate file", certificateFile),
         .keyFile = keyFile,
         .key = readTlsFile("the key file", keyFile)});
  }
  read.clientAuthoritiesFile = settings.clientAuthoritiesFile;
  if (!read.clientAuthoritiesFile.empty()) {
    read.clientAuthorities =
        readTlsFile("the file of the clients' authorities", read.clientAuthoritiesFile);
  }
  return read;
}

std::string TlsMaterial::encode() const {
  std::string bytes;
  put(bytes, ticketKeys.encode());
  put(bytes, clientAuthoritiesFile);
  put(bytes, clientAuthorities);
  for (const Certificate& each : certificates) {
    for (const std::string* field :
         {&each.certificateFile, &each.certificate, &each.keyFile, &each.key}) {
      put(bytes, *field);
    }
  }
  return bytes;
}

std::optional<TlsMaterial> TlsMaterial::decode(std::string_view bytes) {
  std::vector<std::string> fields;
  while (!bytes.empty()) {
    auto field = take(bytes);
    if (!field) return std::nullopt;
    fields.push_back(std::move(*field));
  }
  if (fields.size() < 7 || (fields.size() - 3) % 4 != 0) return std::nullopt;
  auto keys = TicketKeys::decode(fields[0]);
  if (!keys) return std::nullopt;
  TlsMaterial decoded;
  decoded.ticketKeys = *keys;
  decoded.clientAuthoritiesFile = fields[1];
  decoded.clientAuthorities = fields[2];
  for (std::size_t i = 3; i < fields.size(); i += 4) {
    decoded.certificates.push_back({.certificateFile = fields[i],
                                    .certificate = fields[i + 1],
                                    .keyFile = fields[i + 2],
                                    .key = fields[i + 3]});
  }
  return decoded;
}

}  // namespace stormo::net
