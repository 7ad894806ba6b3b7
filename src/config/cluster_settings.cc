// The settings that concern the cluster.
#include <algorithm>

#include "config/complaints.h"
#include "config/settings.h"

namespace stormo::config {
namespace {

constexpr SettingSpec kSpecs[] = {
    {"cluster", "--cluster",
     "NATS servers that join the Channels of several machines: nats://h1:4222,nats://h2:4222",
     &Settings::cluster},
    {"node", "--node", "name of this machine in the cluster (default: its host name)",
     &Settings::node,
     [](const Settings& s) {
       return s.node.size() <= 255 ? std::string() : std::string("must have at most 255 bytes");
     }},
    {"node-gone-seconds", "--node-gone-seconds",
     "time without a sign of life after which a node of the cluster is gone", &Settings::nodeGone,
     mustLast<&Settings::nodeGone, kHour>},
    {"nats.stream", "--nats-stream", "name of the JetStream stream of the cluster",
     &Settings::natsStream},
    {"nats.replicas", "--nats-replicas",
     "number of servers that keep each message: 1, 3 or 5 (default: as many as --cluster has, at "
     "most 3)",
     &Settings::natsReplicas,
     [](const Settings& s) {
       const bool fits = s.natsReplicas <= 5 && (s.natsReplicas == 0 || s.natsReplicas % 2 == 1);
       return fits ? std::string() : std::string("must be 1, 3 or 5");
     }},
    {"nats.storage", "--nats-storage", "where they keep it: file or memory", &Settings::natsStorage,
     [](const Settings& s) {
       const bool fits = s.natsStorage == "file" || s.natsStorage == "memory";
       return fits ? std::string() : std::string("must be file or memory");
     }},
    {"nats.max-bytes", "--nats-max-bytes",
     "bytes of messages that the stream keeps, for nodes that were away", &Settings::natsMaxBytes,
     [](const Settings& s) {
       const bool fits = s.natsMaxBytes >= 256 * kMiB && s.natsMaxBytes <= 512 * kGiB;
       return fits ? std::string() : std::string("must be at least 256 MiB, and at most 512 GiB");
     }},
    {"nats.user", "--nats-user", "user name for the NATS servers", &Settings::natsUser},
    {"nats.password-file", "--nats-password-file", "file with the password of that user",
     &Settings::natsPasswordFile},
    {"nats.token-file", "--nats-token-file", "file with a token for the NATS servers",
     &Settings::natsTokenFile},
    {"nats.nkey-file", "--nats-nkey-file", "file with the seed of an NKey",
     &Settings::natsNkeyFile},
    {"nats.credentials-file", "--nats-credentials-file",
     "file with the JWT and the seed of a NATS user (.creds)", &Settings::natsCredentialsFile},
    {"nats.ca-file", "--nats-ca-file",
     "PEM file with the authorities of NATS servers with TLS (default: the system's)",
     &Settings::natsAuthorities},
    {"nats.cert-file", "--nats-cert-file",
     "PEM file with the certificate for NATS servers that require one", &Settings::natsCertificate},
    {"nats.key-file", "--nats-key-file",
     "PEM file with its private key (default: it is in the certificate's file)",
     &Settings::natsKey},
};

}  // namespace

std::vector<SettingSpec> withClusterSpecs(std::span<const SettingSpec> others) {
  std::vector<SettingSpec> all(others.begin(), others.end());
  const auto isHistory = [](const SettingSpec& spec) {
    return std::string_view(spec.key).starts_with("history.");
  };
  all.insert(std::ranges::find_if(all, isHistory), std::begin(kSpecs), std::end(kSpecs));
  return all;
}

}  // namespace stormo::config
