#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/deadline.h"
#include "support/spawned_program.h"
#include "support/temp_directory.h"
#include "sys/address.h"
#include "sys/unique_fd.h"

namespace stormo {

/// A program of this directory, driven by its command line. $NOTES is the file that it writes.
class ProgramTest : public testing::Test {
 protected:
  explicit ProgramTest(std::string name) : name_(std::move(name)) {}
  ~ProgramTest() override {
    if (program != nullptr && !program->statusIfEnded()) {
      run({"stop"});
      program->waitForOwnEnd();
    }
  }
  /// Starts in the foreground. `throws` is the hook that throws.
  void start(const std::string& throws = "") {
    throws_ = throws;
    program = std::make_unique<test::SpawnedProgram>(deadline, words({"start"}));
    program->waitForOutput("Start success.");
  }
  /// Sets one more environment variable of the program: "NAME=value".
  void setVariable(std::string assignment) { variable_ = std::move(assignment); }
  test::Outcome run(const test::Words& arguments) {
    return test::SpawnedProgram(deadline, words(arguments)).waitForOwnEnd();
  }
  /// The port of the first process that listens on one.
  std::uint16_t port() {
    const auto status = nlohmann::json::parse(run({"status", "--json"}).output);
    for (const auto& process : status.at("processes")) {
      const std::string listen = process.value("listen", "");
      if (listen.find("://127.0.0.1:") == listen.npos) continue;
      return static_cast<std::uint16_t>(std::stoi(listen.substr(listen.rfind(':') + 1)));
    }
    throw std::runtime_error("nobody listens on a port");
  }
  [[nodiscard]] std::string notes() const {
    std::stringstream text;
    text << std::ifstream(directory.file("notes")).rdbuf();
    return text.str();
  }

  const test::Deadline deadline;
  test::TempDirectory directory;
  std::unique_ptr<test::SpawnedProgram> program;

 private:
  [[nodiscard]] test::Words words(const test::Words& arguments) const {
    test::Words all = {"env",           "NOTES=" + directory.file("notes"), "THROWS=" + throws_,
                       variable_,       STORMO_BIN_DIR "/" + name_,         "--runtime-dir",
                       directory.path()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  const std::string name_;
  std::string throws_;
  std::string variable_ = "UNUSED=";
};

/// A client of a `text` worker on this machine.
class TextClient {
 public:
  explicit TextClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const Address address = Address::ip("127.0.0.1", port).value();
    if (::connect(fd_.get(), address.raw(), address.size()) < 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  void send(const std::string& line) const {
    const std::string bytes = line + '\n';
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// The next line; "" at the end.
  [[nodiscard]] std::string receive() const {
    std::string line;
    for (char byte = 0; ::recv(fd_.get(), &byte, 1, 0) == 1 && byte != '\n';) line += byte;
    return line;
  }
  /// All bytes until the worker closes the connection.
  [[nodiscard]] std::string receiveToEnd() const {
    std::string all;
    char bytes[65536];
    for (ssize_t size; (size = ::recv(fd_.get(), bytes, sizeof bytes, 0)) > 0;) {
      all.append(bytes, static_cast<std::size_t>(size));
    }
    return all;
  }
  [[nodiscard]] std::string ask(const std::string& line) const {
    send(line);
    return receive();
  }

 private:
  UniqueFd fd_;
};

}  // namespace stormo
