#pragma once

#include <stormo/tls.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/tls/ticket_keys.h"

namespace stormo::net {

/// What a server needs to speak TLS, as bytes: a process that may read the files passes it on to
/// those that may not.
struct TlsMaterial {
  struct Certificate {
    std::string certificateFile;
    std::string certificate;  ///< PEM
    std::string keyFile;
    std::string key;  ///< PEM
  };
  std::vector<Certificate> certificates;
  std::string clientAuthoritiesFile;
  std::string clientAuthorities;  ///< PEM. Empty: clients need no certificate.
  TicketKeys ticketKeys;

  /// Reads the files, and makes new ticket keys. Throws std::invalid_argument, with a sentence for
  /// the user.
  static TlsMaterial read(const Tls& settings);

  /// All of it as bytes, for another process of this program.
  [[nodiscard]] std::string encode() const;
  /// nullopt if encode() has not made these bytes.
  static std::optional<TlsMaterial> decode(std::string_view bytes);
};

/// The content of a file. Throws std::invalid_argument, with a sentence that begins with `what`.
[[nodiscard]] std::string readTlsFile(std::string_view what, const std::string& file);

}  // namespace stormo::net
