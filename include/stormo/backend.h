#pragma once

#include <stormo/audience.h>
#include <stormo/channel/messages.h>
#include <stormo/close_code.h>
#include <stormo/message.h>
#include <stormo/result.h>
#include <stormo/value.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stormo {

class Channel;

/// What the backend of a site does: it sends to groups, users, clients and everybody, decides who
/// is a member of what, and asks who is there. It works from any process with a link to the
/// Channel in Stormo's dialect, on all clients of all GroupServers of that Channel. The HTTP API
/// (docs/api.md) and the commands of `stormo` are made with it.
///
///     Channel channel("stormo://10.0.0.5:2206");
///     Backend backend(channel);
///     backend.send(Audience::user("ada"), "You have mail.");
///     backend.disconnect(Audience::user("mallory"), CloseCode::PolicyViolation, "bye");
///
/// What it sends and commands takes effect in the order of the calls, exactly once, in the order of
/// the Channel's log: a client that join() lets join a group receives what is sent to the group
/// afterwards. Belongs to the Channel's thread, and must not outlive the Channel. Functions throw
/// as Channel::publish() does before connect().
class Backend {
 public:
  explicit Backend(Channel& channel);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  /// The Channel has it in its log, or has rejected it. Called once for each call whose status is
  /// Accepted, and not for others; never inside the call.
  using DoneHandler = std::function<void(const Result<Receipt>& receipt)>;

  // --- Messages ---

  struct SendOptions {
    /// Users and clients that do not receive it, though they belong to the audience.
    std::vector<Audience> except = {};
    SendId id = {};  ///< A duplicate of it is dropped: see SendId.
  };
  PublishStatus send(const Audience& to, Message message, DoneHandler onDone = {});
  PublishStatus send(const Audience& to, Message message, const SendOptions& options,
                     DoneHandler onDone = {});

  // --- Commands, to the clients of an audience: a user, a client, everybody ---

  /// They become members of the group, if they are none, and receive what is sent to it after this
  /// command. The rights of their tokens do not count. They are members as long as they are
  /// connected, or until a leave.
  PublishStatus join(const Audience& who, std::string_view group, DoneHandler onDone = {});
  PublishStatus leave(const Audience& who, std::string_view group, DoneHandler onDone = {});
  /// `reason` has at most 123 bytes. Throws std::invalid_argument for a code that must not be sent.
  PublishStatus disconnect(const Audience& who, CloseCode code, std::string_view reason,
                           DoneHandler onDone = {});
  /// Replaces the info of the clients that are connected: see infoOf(). `info` is the JSON text of
  /// an object of at most 4 KiB; otherwise this throws std::invalid_argument. Empty: none.
  PublishStatus setInfo(const Audience& who, std::string_view info, DoneHandler onDone = {});

  /// Tokens that are not accepted any more. Clients with such a token are closed with 4401 at once.
  struct Revocation {
    std::string user = {};   ///< Those of this user,
    std::string token = {};  ///< or the one with this id (`jti`). Exactly one of both is set.
    /// Only tokens that were issued (`iat`) before that time, in seconds since 1970. Nothing: all.
    /// A token without `iat` was issued before every time.
    std::optional<std::int64_t> issuedBefore = std::nullopt;
    /// It is forgotten at that time: until the last of those tokens expires. Seconds since 1970.
    std::int64_t until = 0;
  };
  /// Holds for all processes, and over restarts: it is in the Channel's log. A later one for the
  /// same user or token replaces it; one whose `until` has passed ends it.
  PublishStatus revoke(const Revocation& revocation, DoneHandler onDone = {});

  // --- Questions, which all processes with clients answer ---

  struct Page {
    std::string pattern = {};  ///< As for file names in a shell. Empty: all.
    std::string after = {};    ///< Begins after this name. Empty: at the beginning.
    std::size_t limit = 100;   ///< At most 1000.
  };
  /// One name of a list, and how many clients it has.
  struct Count {
    std::string name;
    std::uint64_t clients = 0;
  };
  struct Counts {
    std::vector<Count> items = {};  ///< By name, in the order of their bytes.
    bool hasMore = false;           ///< Ask again after the last name.
    bool isComplete = true;         ///< False: a process did not reply in time.
  };
  struct Client {
    std::string id;
    std::string user;                      ///< Empty: it has shown no token.
    std::string info;                      ///< The JSON text of an object, or empty.
    std::string address;                   ///< "203.0.113.7:50123"
    std::string protocol;                  ///< "stormo.v1" or "commands".
    std::int64_t connectedAt = 0;          ///< Seconds since 1970.
    std::vector<std::string> groups = {};  ///< In the order of their bytes.
  };
  struct Clients {
    std::vector<Client> items = {};  ///< By id.
    bool hasMore = false;
    bool isComplete = true;
  };
  struct Totals {
    std::uint64_t clients = 0;
    std::uint64_t users = 0;   ///< Different ones in each process; summed over the processes.
    std::uint64_t groups = 0;  ///< Likewise.
    std::uint64_t processes = 0;
    bool isComplete = true;
  };

  /// Groups that have members. A question has no reply (an Error) if it could not be asked.
  void groups(const Page& page, std::function<void(const Result<Counts>&)> onReply);
  /// Users that have clients.
  void users(const Page& page, std::function<void(const Result<Counts>&)> onReply);
  /// The clients of an audience: of a group, a user, everybody; or one. `page.after` is an id, and
  /// `page.pattern` is not used.
  void clients(const Audience& of, const Page& page,
               std::function<void(const Result<Clients>&)> onReply);
  void totals(std::function<void(const Result<Totals>&)> onReply);

  /// How long a question waits for the processes.
  std::chrono::milliseconds timeout{2000};

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo
