#include "channel/nats/nats_connection.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <utility>

#include "channel/nats/nats_callbacks.h"
#include "channel/nats/nkey.h"

namespace stormo::channel {
namespace {

constexpr std::int64_t kConnectMilliseconds = 2000;
// A server that is silent for two of these is lost.
constexpr std::int64_t kPingMilliseconds = 2000;
constexpr int kPingsMax = 2;
constexpr std::int64_t kWriteMilliseconds = 5000;
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

/// natsOptions, and the first step of setting them that failed.
class Options {
 public:
  explicit Options(const NatsLibrary& library) : library_(library) {
    check(library_.natsOptions_Create(&options_), "create options");
  }
  ~Options() { library_.natsOptions_Destroy(options_); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  [[nodiscard]] natsOptions* raw() const { return options_; }
  [[nodiscard]] bool ok() const { return problem_.empty(); }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  void fail(std::string problem) {
    if (ok()) problem_ = std::move(problem);
  }
  void check(natsStatus status, std::string_view step) {
    if (status == NATS_OK) return;
    fail(fmt::format("cannot {}: {}", step, library_.lastError(status)));
  }

 private:
  const NatsLibrary& library_;
  natsOptions* options_ = nullptr;
  std::string problem_;
};

// The line of a seed file that has the seed; others may be comments or the guards of a PEM-like
// file. Empty if there is none.
std::string seedIn(const std::string& file) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.starts_with("SU")) return line;
  }
  return {};
}

void setNkey(const NatsLibrary& library, const std::string& file, Options& options) {
  const auto key = publicKeyOfSeed(seedIn(file));
  if (!key) return options.fail(fmt::format("{} has no seed of a user's NKey (SU…)", file));
  options.check(library.natsOptions_SetNKeyFromSeed(options.raw(), key->c_str(), file.c_str()),
                fmt::format("use the seed in {}", file));
}

void setLogin(const NatsLibrary& library, const ClusterSettings& settings, const ServerUrl& url,
              Options& options) {
  const bool isInUrl = !url.user.empty() || !url.token.empty();
  const std::string& user = isInUrl ? url.user : settings.user;
  const std::string& password = isInUrl ? url.password : settings.password;
  const std::string& token = isInUrl ? url.token : settings.token;
  if (!user.empty()) {
    options.check(library.natsOptions_SetUserInfo(options.raw(), user.c_str(), password.c_str()),
                  "set the user");
  }
  if (!token.empty()) {
    options.check(library.natsOptions_SetToken(options.raw(), token.c_str()), "set the token");
  }
  if (isInUrl) return;
  if (!settings.nkeySeedFile.empty()) setNkey(library, settings.nkeySeedFile, options);
  if (const std::string& file = settings.credentialsFile; !file.empty()) {
    if (!std::ifstream(file)) return options.fail(fmt::format("cannot read {}", file));
    options.check(
        library.natsOptions_SetUserCredentialsFromFiles(options.raw(), file.c_str(), nullptr),
        fmt::format("use the credentials in {}", file));
  }
}

// Without tls:// too, because the server may require it: then its certificate is verified.
void setTls(const NatsLibrary& library, const TlsClient& tls, const ServerUrl& url,
            Options& options) {
  const std::string& certificate = tls.certificate.certificateFile;
  const bool isWanted = url.isTls || !tls.authoritiesFile.empty() || !certificate.empty();
  if (isWanted) options.check(library.natsOptions_SetSecure(options.raw(), true), "use TLS");
  options.check(library.natsOptions_SetExpectedHostname(options.raw(), url.host.c_str()),
                "set the name to verify");
  const std::string authorities =
      tls.authoritiesFile.empty() ? kSystemAuthorities : tls.authoritiesFile;
  if (isWanted || ::access(authorities.c_str(), R_OK) == 0) {
    options.check(library.natsOptions_LoadCATrustedCertificates(options.raw(), authorities.c_str()),
                  fmt::format("use the authorities in {}", authorities));
  }
  if (certificate.empty()) return;
  const std::string& key = tls.certificate.keyFile.empty() ? certificate : tls.certificate.keyFile;
  options.check(
      library.natsOptions_LoadCertificatesChain(options.raw(), certificate.c_str(), key.c_str()),
      fmt::format("use the certificate in {}", certificate));
}

void setOptions(const NatsLibrary& library, const ClusterSettings& settings, const ServerUrl& url,
                std::uint64_t callback, Options& options) {
  natsOptions* const raw = options.raw();
  void* const closure = NatsCallbacks::closure(callback);
  const std::string plain = fmt::format("nats://{}", url.name());
  options.check(library.natsOptions_SetURL(raw, plain.c_str()), "set the URL");
  options.check(library.natsOptions_SetName(raw, "stormo"), "set the name");
  options.check(library.natsOptions_SetTimeout(raw, kConnectMilliseconds), "set the timeout");
  options.check(library.natsOptions_SetPingInterval(raw, kPingMilliseconds), "set the pings");
  options.check(library.natsOptions_SetMaxPingsOut(raw, kPingsMax), "set the pings");
  options.check(library.natsOptions_SetWriteDeadline(raw, kWriteMilliseconds), "set the deadline");
  // What was published during a loss would be sent in a wrong order: see Stream::publish().
  options.check(library.natsOptions_SetAllowReconnect(raw, false), "set reconnecting");
  options.check(library.natsOptions_SetIgnoreDiscoveredServers(raw, true), "set the servers");
  options.check(library.natsOptions_SetSendAsap(raw, true), "set flushing");
  options.check(library.natsOptions_SetClosedCB(raw, NatsCallbacks::onClosed, closure),
                "set a callback");
  options.check(library.natsOptions_SetLameDuckModeCB(raw, NatsCallbacks::onLameDuck, closure),
                "set a callback");
  options.check(library.natsOptions_SetErrorHandler(raw, NatsCallbacks::onError, closure),
                "set a callback");
  setLogin(library, settings, url, options);
  setTls(library, settings.tls, url, options);
}

std::string connectProblem(const NatsLibrary& library, natsStatus status) {
  std::string detail = library.lastError(status);
  switch (status) {
    case NATS_CONNECTION_AUTH_FAILED:
      return "the server rejects the user or the password, token or key";
    case NATS_NO_SERVER:
      return "nothing accepts connections there";
    case NATS_TIMEOUT:
      return "no answer";
    case NATS_SECURE_CONNECTION_WANTED:
      return "the server does not speak TLS: use nats:// instead of tls://";
    case NATS_SECURE_CONNECTION_REQUIRED:
      return "the server needs TLS: use tls:// instead of nats://";
    case NATS_SSL_ERROR:
      return fmt::format("TLS: {}", detail);
    default:
      return detail;
  }
}

}  // namespace

NatsConnection::Subscription::~Subscription() {
  NatsCallbacks::remove(callback_);
  library_.natsSubscription_Unsubscribe(subscription_);
}

std::unique_ptr<NatsConnection> NatsConnection::connect(const NatsLibrary& library,
                                                        const ClusterSettings& settings,
                                                        const ServerUrl& url, Handlers handlers,
                                                        std::string& problem) {
  std::unique_ptr<NatsConnection> self(
      new NatsConnection(library, NatsCallbacks::add(library, std::move(handlers))));
  Options options(library);
  setOptions(library, settings, url, self->callback_, options);
  if (!options.ok()) {
    problem = options.problem();
    return nullptr;
  }
  const natsStatus status = library.natsConnection_Connect(&self->connection_, options.raw());
  if (status == NATS_OK) return self;
  problem = connectProblem(library, status);
  return nullptr;
}

NatsConnection::~NatsConnection() {
  NatsCallbacks::remove(callback_);
  library_.natsConnection_Close(connection_);
  for (natsSubscription* const each : subscriptions_) library_.natsSubscription_Destroy(each);
  library_.natsConnection_Destroy(connection_);
}

std::size_t NatsConnection::payloadBytesMax() const {
  return static_cast<std::size_t>(library_.natsConnection_GetMaxPayload(connection_));
}

std::string NatsConnection::newInbox() const {
  natsInbox* inbox = nullptr;
  if (library_.natsInbox_Create(&inbox) != NATS_OK) return {};
  std::string subject = inbox;
  library_.natsInbox_Destroy(inbox);
  return subject;
}

std::unique_ptr<NatsConnection::Subscription> NatsConnection::subscribe(const std::string& subject,
                                                                        MessageHandler onMessage) {
  const std::uint64_t callback = NatsCallbacks::add(library_, std::move(onMessage));
  natsSubscription* made = nullptr;
  natsStatus status =
      library_.natsConnection_Subscribe(&made, connection_, subject.c_str(),
                                        NatsCallbacks::onMessage, NatsCallbacks::closure(callback));
  if (status == NATS_OK) {
    subscriptions_.push_back(made);
    status = library_.natsSubscription_SetPendingLimits(made, -1, -1);
  }
  if (status == NATS_OK) {
    return std::unique_ptr<Subscription>(new Subscription(library_, callback, made));
  }
  NatsCallbacks::remove(callback);
  return nullptr;
}

natsStatus NatsConnection::publish(const std::string& subject, const std::string& reply,
                                   std::string_view data) {
  const int size = static_cast<int>(data.size());
  return reply.empty()
             ? library_.natsConnection_Publish(connection_, subject.c_str(), data.data(), size)
             : library_.natsConnection_PublishRequest(connection_, subject.c_str(), reply.c_str(),
                                                      data.data(), size);
}

natsStatus NatsConnection::publishWithId(const std::string& subject, const std::string& reply,
                                         const std::string& id, std::string_view data) {
  natsMsg* made = nullptr;
  natsStatus status = library_.natsMsg_Create(&made, subject.c_str(), reply.c_str(), data.data(),
                                              static_cast<int>(data.size()));
  if (status != NATS_OK) return status;
  const NatsMessage message(made, NatsMessageFree{&library_});
  status = library_.natsMsgHeader_Set(made, "Nats-Msg-Id", id.c_str());
  return status == NATS_OK ? library_.natsConnection_PublishMsg(connection_, made) : status;
}

void NatsConnection::flush(std::chrono::milliseconds patience) {
  library_.natsConnection_FlushTimeout(connection_, patience.count());
}

}  // namespace stormo::channel
