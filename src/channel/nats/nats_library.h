#pragma once

#include <nats/nats.h>

#include <memory>
#include <string>

namespace stormo::channel {

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): pointers with the header's names and types
#define STORMO_NATS_FUNCTIONS(F)             \
  F(jsAccountInfo_Destroy)                   \
  F(jsCtx_Destroy)                           \
  F(jsOptions_Init)                          \
  F(jsStreamConfig_Init)                     \
  F(jsStreamInfo_Destroy)                    \
  F(js_AddStream)                            \
  F(js_GetAccountInfo)                       \
  F(js_GetStreamInfo)                        \
  F(natsConnection_Close)                    \
  F(natsConnection_Connect)                  \
  F(natsConnection_Destroy)                  \
  F(natsConnection_FlushTimeout)             \
  F(natsConnection_GetLastError)             \
  F(natsConnection_GetMaxPayload)            \
  F(natsConnection_JetStream)                \
  F(natsConnection_Publish)                  \
  F(natsConnection_PublishMsg)               \
  F(natsConnection_PublishRequest)           \
  F(natsConnection_Subscribe)                \
  F(natsInbox_Create)                        \
  F(natsInbox_Destroy)                       \
  F(natsMsgHeader_Get)                       \
  F(natsMsgHeader_Set)                       \
  F(natsMsg_Create)                          \
  F(natsMsg_Destroy)                         \
  F(natsMsg_GetData)                         \
  F(natsMsg_GetDataLength)                   \
  F(natsMsg_GetReply)                        \
  F(natsMsg_IsNoResponders)                  \
  F(natsOptions_Create)                      \
  F(natsOptions_Destroy)                     \
  F(natsOptions_LoadCATrustedCertificates)   \
  F(natsOptions_LoadCertificatesChain)       \
  F(natsOptions_SetAllowReconnect)           \
  F(natsOptions_SetClosedCB)                 \
  F(natsOptions_SetErrorHandler)             \
  F(natsOptions_SetExpectedHostname)         \
  F(natsOptions_SetIgnoreDiscoveredServers)  \
  F(natsOptions_SetLameDuckModeCB)           \
  F(natsOptions_SetMaxPingsOut)              \
  F(natsOptions_SetNKeyFromSeed)             \
  F(natsOptions_SetName)                     \
  F(natsOptions_SetPingInterval)             \
  F(natsOptions_SetSecure)                   \
  F(natsOptions_SetSendAsap)                 \
  F(natsOptions_SetTimeout)                  \
  F(natsOptions_SetToken)                    \
  F(natsOptions_SetURL)                      \
  F(natsOptions_SetUserCredentialsFromFiles) \
  F(natsOptions_SetUserInfo)                 \
  F(natsOptions_SetWriteDeadline)            \
  F(natsStatus_GetText)                      \
  F(natsSubscription_Destroy)                \
  F(natsSubscription_SetPendingLimits)       \
  F(natsSubscription_Unsubscribe)            \
  F(nats_GetLastError)                       \
  F(nats_Open)

/// The functions of libnats that are used. It is not linked, but loaded by the first process that
/// needs it: a program without a cluster has neither its code nor its threads.
struct NatsLibrary {
// NOLINTNEXTLINE(bugprone-macro-parentheses): it declares a member
#define STORMO_DECLARE(name) decltype(&::name) name = nullptr;
  STORMO_NATS_FUNCTIONS(STORMO_DECLARE)
#undef STORMO_DECLARE

  /// The text of the last error on this thread, which had this status; to follow a colon.
  [[nodiscard]] std::string lastError(natsStatus status) const;

  /// Loads it in the first call that finds it. Any thread. Null if it cannot be used: then
  /// `problem` is a sentence for the operator. It is never unloaded. Must not be called before a
  /// process forks children that use it, because its threads do not survive a fork.
  [[nodiscard]] static const NatsLibrary* load(std::string& problem);
  /// The same from the file or name of a shared library; one that was loaded before is not
  /// returned.
  [[nodiscard]] static std::unique_ptr<const NatsLibrary> loadFrom(const char* file,
                                                                   std::string& problem);
};

/// A message of libnats, which it frees.
struct NatsMessageFree {
  const NatsLibrary* library = nullptr;
  void operator()(natsMsg* message) const { library->natsMsg_Destroy(message); }
};
using NatsMessage = std::unique_ptr<natsMsg, NatsMessageFree>;

}  // namespace stormo::channel
