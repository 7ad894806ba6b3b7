// What happens in a simulation, step by step.
#include <string>

#include "channel/simulation.h"

namespace stormo::channel {
namespace {

constexpr std::size_t kEverything = ~std::size_t{0};
constexpr auto kStride = std::chrono::seconds(3);

}  // namespace

void Simulation::step() {
  const std::size_t index = below(kClients);
  const std::size_t kind = below(64);
  if (stepOfServer(kind) || stepOfDisk(kind) || stepOfClient(kind, index)) return;
  stepOfNetwork(index);
}

bool Simulation::stepOfServer(std::size_t kind) {
  if (kind > 6) return false;
  if (isCalm_) return true;
  switch (kind) {
    case 0:
      if (!isUp()) break;
      if (below(3) == 0) {
        note("the server is killed");
        server_->kill();
      } else {
        killInTurn();
      }
      break;
    case 1:
    case 2:
    case 3:
      if (isUp()) break;
      note("the server starts");
      if (below(4) == 0) server_->dieAtStep(1 + below(14));
      server_->start();
      if (!isUp()) note("  and fails");
      break;
    case 4:
      if (below(2) == 0) break;
      note("the power fails");
      server_->failPower();
      break;
    case 5:
      note("the server will die");
      server_->dieAtStep(1 + below(10));
      break;
    default:
      if (isUp()) replaceServer();
  }
  return true;
}

/// The server handles what arrives in one more turn, and dies in it: in the log, when its records
/// are there and it has not acted on them, or when its effects have left.
void Simulation::killInTurn() {
  const std::size_t index = below(kClients);
  note("the server is killed in a turn, after a publish of client " + std::to_string(index));
  publish(index);
  turn();
  for (std::size_t i = 0; i < kClients; ++i) {
    if (i == index || below(2) == 0) links_[i]->moveUp(kEverything);
  }
  if (!isUp()) return;
  if (below(2) == 0) server_->completeSync();
  switch (below(3)) {
    case 0:
      server_->dieAtStep(1 + below(3));
      break;
    case 1:
      server_->dieAfterAppend();
      break;
    default:
      break;
  }
  server_->dieAfterTurn();
  turn();
}

/// A clean stop that ends after a few turns, whatever is in flight.
void Simulation::replaceServer() {
  server_->stop();
  const bool isPatient = below(2) == 0;
  bool isComplete = false;
  for (std::size_t left = isPatient ? 30 : below(5); left > 0 && !isComplete; --left) {
    (void)moveAll();
    turnWithDisk();
    isComplete = server_->continueStop();
  }
  note(std::string("the server is stopped, and has ") + (isComplete ? "" : "not ") + "finished");
  server_->leave();
  if (below(3) == 0) {
    note("the power fails");
    server_->failPower();
  }
  server_->start();
}

bool Simulation::stepOfDisk(std::size_t kind) {
  switch (kind) {
    case 7:
      if (below(2) == 0) return true;
      note("the disk is almost full");
      server_->fillDisk(below(2000));
      return true;
    case 8:
      note("the disk has room");
      server_->freeDisk();
      return true;
    case 9:
      if (below(3) != 0) return true;
      note("a sync will fail");
      hasFailedSync_ = true;
      server_->failSync();
      return true;
    case 10:
      server_->failSnapshot();
      return true;
    case 11:
    case 12:
      note("a snapshot is completed");
      server_->completeSnapshot();
      turn();
      return true;
    case 13:
    case 14:
    case 15:
    case 16:
      note("a sync is completed");
      server_->completeSync();
      turn();
      return true;
    default:
      return false;
  }
}

bool Simulation::stepOfClient(std::size_t kind, std::size_t index) {
  const std::string name = std::to_string(index);
  switch (kind) {
    case 17:
      if (isCalm_ || below(3) != 0) return true;
      note("client " + name + " is killed, and a new one starts");
      killClient(index);
      startClient(index, false);
      return true;
    case 18:
    case 19:
    case 20:
    case 21:
    case 22:
    case 23:
    case 24:
      note("client " + name + " publishes");
      publish(index);
      return true;
    case 25:
    case 26:
      actAsMember(members_[below(kMembers)], index);
      return true;
    case 27:
    case 28:
    case 29:
      note("client " + name + " enqueues a job");
      enqueue(index);
      return true;
    case 30:
    case 31:
    case 32:
      endJob(index);
      return true;
    default:
      return false;
  }
}

void Simulation::stepOfNetwork(std::size_t index) {
  Client& client = clients_[index];
  SimulatedLink& link = *links_[index];
  const std::string name = std::to_string(index);
  switch (below(32)) {
    case 0:
      if (!isCalm_ && link.cut()) note("link " + name + " is cut");
      return;
    case 1:
      note("link " + name + (client.isStalled ? " goes on" : " moves nothing down"));
      client.isStalled = !client.isStalled;
      return;
    case 2:
      note("time passes");
      now_ += kStride;
      return turn();
    case 3:
      note("everything arrives");
      return runWithoutFaults();
    default:
      break;
  }
  if (below(3) == 0) return turn();
  (void)link.accept();
  const std::size_t bytes = below(2) == 0 ? 1 + below(60) : kEverything;
  if (below(2) == 0) {
    link.moveUp(bytes);
  } else if (!client.isStalled) {
    link.moveDown(bytes);
  }
}

}  // namespace stormo::channel
