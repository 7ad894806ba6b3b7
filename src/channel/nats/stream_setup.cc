#include "channel/nats/stream_setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sys/random_id.h"

namespace stormo::channel {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

// A request that comes before an election has ended gets no answer: then another one is needed.
constexpr std::int64_t kAnswerMilliseconds = 2000;
constexpr std::int64_t kCreateMilliseconds = 5000;
constexpr std::chrono::milliseconds kSettleTime{1000};
constexpr seconds kDuplicateWindow{120};
// Of NATS' payload, for the headers of a message: its id, of at most 900 bytes.
constexpr std::size_t kHeaderBytes = 1024;
constexpr std::size_t kNameLengthMax = 200;
constexpr const char* kNoLeader = "JetStream has no leader: too few of its servers run";
constexpr const char* kNotEnabled =
    "JetStream is not enabled, or none of its servers runs: start nats-server with -js";

std::int64_t nanosecondsOf(seconds time) { return nanoseconds(time).count(); }

const char* storageText(jsStorageType storage) {
  return storage == js_MemoryStorage ? "memory" : "file";
}

jsStorageType storageOf(const ClusterSettings& settings) {
  return settings.storage == StreamStorage::Memory ? js_MemoryStorage : js_FileStorage;
}

// 0 and less: there is no limit.
std::string limitText(std::int64_t value, std::string_view unit) {
  return value <= 0 ? "no limit" : fmt::format("{} {}", value, unit);
}

std::string difference(std::string_view what, const std::string& has, const std::string& wanted) {
  return fmt::format("{} is {}, not {}", what, has, wanted);
}

void addLimit(std::vector<std::string>& differences, std::string_view what, std::int64_t has,
              std::int64_t wanted, std::string_view unit) {
  if (std::max<std::int64_t>(has, 0) == std::max<std::int64_t>(wanted, 0)) return;
  differences.push_back(difference(what, limitText(has, unit), limitText(wanted, unit)));
}

std::string subjectsText(const jsStreamConfig& config) {
  if (config.SubjectsLen == 0) return "nothing";
  return fmt::format("{}", fmt::join(config.Subjects, config.Subjects + config.SubjectsLen, ", "));
}

// What makes a stream unusable; empty if nothing does.
std::string conflict(const jsStreamConfig& config, const ClusterSettings& settings) {
  const std::string subject = logSubject(settings);
  if (config.SubjectsLen != 1 || config.Subjects[0] != subject) {
    return difference("subject", subjectsText(config), subject);
  }
  if (config.Storage != storageOf(settings)) {
    return difference("storage", storageText(config.Storage), storageText(storageOf(settings)));
  }
  if (config.Discard != js_DiscardOld) return difference("discard policy", "new", "old");
  if (config.Retention != js_LimitsPolicy) {
    return difference("retention", "interest or workqueue", "limits");
  }
  if (config.MaxMsgsPerSubject > 0) {
    return difference("maximum of messages per subject", std::to_string(config.MaxMsgsPerSubject),
                      "unlimited");
  }
  if (config.NoAck) return difference("acknowledging", "off", "on");
  if (config.Sealed) return "it is sealed";
  return {};
}

std::string requestProblem(const NatsLibrary& library, natsStatus status, jsErrCode code,
                           const ClusterSettings& settings) {
  const std::string detail = library.lastError(status);
  const std::string name = fmt::format("stream \"{}\"", settings.stream);
  switch (static_cast<int>(code)) {
    case JSNotEnabledErr:
      return kNotEnabled;
    case JSNotEnabledForAccountErr:
      return "JetStream is not enabled for this user's account";
    case JSClusterNotAvailErr:
    case JSClusterNotLeaderErr:
    case JSStreamOfflineErr:
      return kNoLeader;
    case JSClusterNoPeersErr:
    case JSInsufficientResourcesErr:
      return fmt::format(
          "{} cannot be created with {} replicas: too few servers with JetStream "
          "and enough room run",
          name, replicasOf(settings));
    case JSStreamReplicasNotSupportedErr:
      return fmt::format(
          "{} cannot have {} replicas, because the NATS server is not part of a "
          "NATS cluster: set replicas to 1",
          name, replicasOf(settings));
    case JSStreamSubjectOverlapErr:
      return fmt::format("another stream has the subject {}: delete it, or set another stream name",
                         logSubject(settings));
    default:
      break;
  }
  if (code != 0) return fmt::format("{}: {}", name, detail);
  if (status == NATS_NO_RESPONDERS) {
    return kNotEnabled;
  }
  if (status == NATS_TIMEOUT) {
    return "JetStream does not answer: too few of its servers run, or the user has no permission "
           "for $JS.API.>";
  }
  return fmt::format("{}: {}", name, detail);
}

struct FreeStreamInfo {
  const NatsLibrary* library;
  void operator()(jsStreamInfo* info) const { library->jsStreamInfo_Destroy(info); }
};
using StreamInfoPointer = std::unique_ptr<jsStreamInfo, FreeStreamInfo>;

/// Requests to JetStream's API.
class StreamRequests {
 public:
  StreamRequests(const NatsLibrary& library, const NatsConnection& connection,
                 const ClusterSettings& settings)
      : library_(library), settings_(settings) {
    jsOptions options;
    library_.jsOptions_Init(&options);
    options.Wait = kAnswerMilliseconds;
    status_ = library_.natsConnection_JetStream(&context_, connection.raw(), &options);
  }
  ~StreamRequests() { library_.jsCtx_Destroy(context_); }
  StreamRequests(const StreamRequests&) = delete;
  StreamRequests& operator=(const StreamRequests&) = delete;

  /// False unless JetStream can create streams and consumers now. Before all else.
  bool isReady() {
    jsAccountInfo* account = nullptr;
    if (context_ == nullptr) return false;
    status_ = library_.js_GetAccountInfo(&account, context_, nullptr, &code_);
    library_.jsAccountInfo_Destroy(account);
    return status_ == NATS_OK;
  }

  StreamInfoPointer info() {
    jsStreamInfo* info = nullptr;
    code_ = {};
    status_ = library_.js_GetStreamInfo(&info, context_, settings_.stream.c_str(), nullptr, &code_);
    return {info, FreeStreamInfo{&library_}};
  }

  StreamInfoPointer create() {
    jsStreamConfig config;
    library_.jsStreamConfig_Init(&config);
    const std::string subject = logSubject(settings_);
    const char* subjects[] = {subject.c_str()};
    config.Name = settings_.stream.c_str();
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = storageOf(settings_);
    config.Replicas = replicasOf(settings_);
    // JetStream takes a second creation with an equal configuration as the same one, but gives the
    // stream another time of creation if it has no leader yet. With this it refuses the second.
    const std::string description = fmt::format("log of a Stormo cluster {:016x}", randomId());
    config.Description = description.c_str();
    if (settings_.maxBytes != 0) config.MaxBytes = static_cast<std::int64_t>(settings_.maxBytes);
    config.MaxAge = nanosecondsOf(settings_.maxAge);
    config.Duplicates =
        nanosecondsOf(settings_.maxAge.count() == 0 ? kDuplicateWindow
                                                    : std::min(kDuplicateWindow, settings_.maxAge));
    jsStreamInfo* info = nullptr;
    code_ = {};
    jsOptions patient;
    library_.jsOptions_Init(&patient);
    patient.Wait = kCreateMilliseconds;
    status_ = library_.js_AddStream(&info, context_, &config, &patient, &code_);
    return {info, FreeStreamInfo{&library_}};
  }

  [[nodiscard]] jsErrCode code() const { return code_; }
  [[nodiscard]] std::string problem() const {
    return requestProblem(library_, status_, code_, settings_);
  }

 private:
  const NatsLibrary& library_;
  const ClusterSettings& settings_;
  jsCtx* context_ = nullptr;
  natsStatus status_ = NATS_OK;
  jsErrCode code_ = {};
};

// Of creations that several nodes have requested at the same moment, the last one counts, also
// after the first is answered: then the time of creation changes. Nothing is published before that.
StreamInfoPointer settled(StreamInfoPointer stream, StreamRequests& requests) {
  while (stream && stream->Cluster != nullptr && stream->State.LastSeq == 0) {
    const std::int64_t created = stream->Created;
    std::this_thread::sleep_for(kSettleTime);
    stream = requests.info();
    if (stream && stream->Created == created) break;
  }
  return stream;
}

}  // namespace

std::string logSubject(const ClusterSettings& settings) { return settings.stream + ".log"; }
std::string askSubject(const ClusterSettings& settings) { return settings.stream + ".ask"; }

int replicasOf(const ClusterSettings& settings) {
  constexpr std::size_t kEnough = 3;
  return settings.replicas != 0
             ? settings.replicas
             : static_cast<int>(std::clamp<std::size_t>(settings.servers.size(), 1, kEnough));
}

void checkStreamSettings(const ClusterSettings& settings) {
  const auto isInName = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  const std::string& name = settings.stream;
  if (name.empty() || name.size() > kNameLengthMax || !std::ranges::all_of(name, isInName)) {
    throw std::invalid_argument(
        fmt::format("cluster stream \"{}\": a name has 1 to {} characters of A-Z a-z 0-9 _ and -",
                    name, kNameLengthMax));
  }
  constexpr int kReplicasMax = 5;
  if (settings.replicas < 0 || settings.replicas > kReplicasMax) {
    throw std::invalid_argument(
        fmt::format("cluster replicas {}: use 1 to {}, or 0 for as many as there are servers, at "
                    "most 3",
                    settings.replicas, kReplicasMax));
  }
  if (settings.maxAge < seconds(0)) {
    throw std::invalid_argument("the maximum age of the cluster's messages must not be negative");
  }
}

std::optional<StreamSetup> checkStream(const jsStreamInfo& stream, const ClusterSettings& settings,
                                       std::size_t payloadBytesMax, std::string& problem) {
  const jsStreamConfig& config = *stream.Config;
  if (const std::string found = conflict(config, settings); !found.empty()) {
    problem = fmt::format(
        "stream \"{}\" exists and cannot be used: {}; change the settings, set another stream "
        "name, or delete the stream",
        settings.stream, found);
    return std::nullopt;
  }
  if (stream.Cluster != nullptr &&
      (stream.Cluster->Leader == nullptr || !*stream.Cluster->Leader)) {
    problem = fmt::format("stream \"{}\" has no leader: too few of the servers that keep it run",
                          settings.stream);
    return std::nullopt;
  }
  if (payloadBytesMax <= 2 * kHeaderBytes) {
    problem = fmt::format("max_payload of the NATS server is {} bytes, which is too little",
                          payloadBytesMax);
    return std::nullopt;
  }
  StreamSetup setup;
  const jsStreamState& state = stream.State;
  setup.info.epoch = stream.Created > 0 ? static_cast<std::uint64_t>(stream.Created) : 1;
  setup.info.last = state.LastSeq;
  setup.info.first = state.Msgs == 0 ? state.LastSeq + 1 : state.FirstSeq;
  setup.info.messageBytesMax = payloadBytesMax - kHeaderBytes;
  if (config.MaxMsgSize > 0) {
    setup.info.messageBytesMax = std::min(setup.info.messageBytesMax,
                                          static_cast<std::size_t>(std::max<std::int64_t>(
                                              config.MaxMsgSize - std::int64_t{kHeaderBytes}, 1)));
  }
  std::vector<std::string> differences;
  const auto wantedBytes = static_cast<std::int64_t>(settings.maxBytes);
  if (config.Replicas != replicasOf(settings)) {
    differences.push_back(difference("replicas", std::to_string(config.Replicas),
                                     std::to_string(replicasOf(settings))));
  }
  addLimit(differences, "maximum size", config.MaxBytes, wantedBytes, "bytes");
  addLimit(differences, "maximum age", config.MaxAge / nanosecondsOf(seconds(1)),
           settings.maxAge.count(), "s");
  addLimit(differences, "maximum of messages", config.MaxMsgs, 0, "messages");
  setup.differences = fmt::format("{}", fmt::join(differences, ", "));
  return setup;
}

std::optional<StreamSetup> setUpStream(const NatsLibrary& library, const NatsConnection& connection,
                                       const ClusterSettings& settings, std::string& problem) {
  StreamRequests requests(library, connection, settings);
  if (!requests.isReady()) {
    problem = requests.problem();
    return std::nullopt;
  }
  StreamInfoPointer stream = requests.info();
  if (!stream && requests.code() == JSStreamNotFoundErr) {
    stream = requests.create();
    // Another node was faster, with other settings.
    if (!stream && requests.code() == JSStreamNameExistErr) stream = requests.info();
  }
  if (stream) stream = settled(std::move(stream), requests);
  if (!stream) {
    problem = requests.problem();
    return std::nullopt;
  }
  return checkStream(*stream, settings, connection.payloadBytesMax(), problem);
}

}  // namespace stormo::channel
