#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sys/unique_fd.h"

namespace stormo::integration {

/// TCP proxies of this process, between a program and several servers, that can be broken as a
/// network can. Each listens on a free port of 127.0.0.1.
class BreakableProxy {
 public:
  explicit BreakableProxy(const std::vector<std::uint16_t>& targets);
  ~BreakableProxy();
  BreakableProxy(const BreakableProxy&) = delete;
  BreakableProxy& operator=(const BreakableProxy&) = delete;

  /// In the order of the targets.
  [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return ports_; }

  /// Passes everything on, as at first.
  void repair() { setMode(Mode::Pass); }
  /// Ends all connections, and each new one.
  void cut() { setMode(Mode::Cut); }
  /// Passes nothing on, and reports nothing, as a firewall that drops packets. What was sent
  /// meanwhile passes after repair().
  void stall() { setMode(Mode::Stall); }

 private:
  enum class Mode { Pass, Cut, Stall };
  struct Side {
    UniqueFd fd;
    std::string waiting;  // to be written to it
    bool isOpen = true;   // it can still be read
  };
  struct Pair {
    Side sides[2];
    [[nodiscard]] bool hasEnded() const { return !sides[0].isOpen || !sides[1].isOpen; }
  };

  void setMode(Mode mode);
  void run();
  void accept(std::size_t target);
  static void pass(Side& from, Side& to);

  const std::vector<std::uint16_t> targets_;
  std::vector<std::uint16_t> ports_;
  std::vector<UniqueFd> listeners_;
  UniqueFd wake_;
  std::vector<std::unique_ptr<Pair>> pairs_;  // used by the thread only
  std::mutex mutex_;                          // protects the members below
  Mode mode_ = Mode::Pass;
  bool isStopping_ = false;
  std::thread thread_;
};

}  // namespace stormo::integration
