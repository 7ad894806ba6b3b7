#pragma once

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "support/spawned_program.h"

namespace stormo::package {

/// The text of a file of the project.
inline std::string textOf(const std::string& path) {
  std::ifstream file(std::string(STORMO_SOURCE_DIR "/") + path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

/// Runs a command line to its end.
inline test::Outcome run(const test::Words& words) {
  const test::Deadline deadline(std::chrono::seconds(60));
  return test::SpawnedProgram(deadline, words).waitForEnd();
}

/// What `stormo print` prints.
inline std::string printed(const std::string& what) {
  const test::Outcome outcome = run({STORMO_BIN_DIR "/stormo", "print", what});
  if (outcome.status != 0) throw std::runtime_error(outcome.errors);
  return outcome.output;
}

/// True if this machine has the program. CI must have it.
inline bool isHere(const std::string& program) {
  const bool found = run({"sh", "-c", "command -v \"$1\"", "sh", program}).status == 0;
  if (!found && std::getenv("CI") != nullptr) throw std::runtime_error("no " + program + " here");
  return found;
}

}  // namespace stormo::package
