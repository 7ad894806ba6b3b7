#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/client_frames.h"
#include "bench/histogram.h"
#include "sys/address.h"
#include "sys/unique_fd.h"

namespace stormo::bench {

/// Phases of a run. A message counts in the phase in which it was sent.
enum class HostilePhase : std::uint8_t { WarmUp, Before, During, After };
inline constexpr std::size_t kHostilePhases = 4;

/// The well-behaved clients during an attack, on their own thread: 200 in groups of four, with 500
/// messages per second in total, each stamped with its time of sending.
class WellBehavedClients {
 public:
  static constexpr std::size_t kClients = 200;
  static constexpr std::size_t kGroupSize = 4;
  static constexpr std::size_t kMessagesPerSecond = 500;

  explicit WellBehavedClients(const Address& server);
  ~WellBehavedClients();
  WellBehavedClients(const WellBehavedClients&) = delete;
  WellBehavedClients& operator=(const WellBehavedClients&) = delete;

  void begin(HostilePhase phase) { phase_ = phase; }
  /// Stops sending, waits until everything has arrived or nothing arrives any more, and ends the
  /// thread.
  void finish();

  struct Figures {
    Histogram latency;
    std::uint64_t expected = 0;  ///< Deliveries.
  };
  /// After finish().
  [[nodiscard]] const Figures& of(HostilePhase phase) const {
    return figures_[static_cast<std::size_t>(phase)];
  }
  /// Connections closed by the server.
  [[nodiscard]] std::size_t disconnected() const { return disconnected_; }

 private:
  struct Client {
    UniqueFd fd = {};
    std::unique_ptr<PublishFrame> frame = {};
    std::string unsent = {};
    std::string received = {};  // of an incomplete frame
    bool upgraded = false;
  };

  void run();
  void publish(Client& client, std::uint32_t number);
  void send(Client& client, std::string_view bytes);
  void read(Client& client);
  void takeFrames(Client& client);
  void lost(Client& client);
  [[nodiscard]] bool allReceived() const;

  std::vector<Client> clients_{kClients};
  UniqueFd epoll_;
  std::array<Figures, kHostilePhases> figures_;
  std::vector<char> buffer_;
  std::uint64_t receivedTotal_ = 0;
  std::size_t disconnected_ = 0;
  std::atomic<HostilePhase> phase_ = HostilePhase::WarmUp;
  std::atomic<bool> finishing_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace stormo::bench
