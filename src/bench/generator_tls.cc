// The generator's connections to wss://.
#include <fmt/format.h>

#include "base/shared_buffer.h"
#include "bench/generator.h"

namespace stormo::bench {

using net::TlsSession;

void Generator::beginTls(Member& member) {
  member.tls = std::make_unique<TlsSession>(plan_.tls, plan_.tlsHost);
  SharedBuffer hello;
  (void)member.tls->read(input_, hello);
  member.unsent = hello.view();
}

void Generator::encrypt(Member& member, std::string_view plaintext) {
  if (!member.fd.valid()) return;
  SharedBuffer records;
  if (!member.tls->write(plaintext, records)) return close(member, "TLS cannot encrypt");
  sendRaw(member, records.view());
}

void Generator::onRecords(Member& member) {
  const std::size_t got = receive(member, records_);
  if (got == 0) return;
  TlsSession& tls = *member.tls;
  tls.receive({records_.data(), got});
  while (member.fd.valid()) {
    const std::span<char> space = spaceAfterUnread(member);
    if (space.empty()) return;
    const bool wasEstablished = tls.isEstablished();
    SharedBuffer output;
    const auto [what, bytes] = tls.read(space, output);
    sendRaw(member, output.view());
    if (!wasEstablished && tls.isEstablished()) send(member, requestOf(member));
    switch (what) {
      case TlsSession::Read::Plaintext:
        if (member.counting) {
          count(member, bytes);
        } else {
          take(member, bytes);
        }
        break;
      case TlsSession::Read::MoreNeeded:
        return;
      case TlsSession::Read::Closed:
        return close(member, "the server closed the connection");
      case TlsSession::Read::Failed:
        return close(member, fmt::format("TLS: {}", tls.error().message()));
    }
  }
}

}  // namespace stormo::bench
