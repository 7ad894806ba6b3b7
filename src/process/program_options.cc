#include <fmt/format.h>
#include <stormo/program_options.h>
#include <stormo/version.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "process/command_line.h"

namespace stormo {
namespace {

std::string nameOf(const std::vector<std::string>& words) {
  return words.empty() ? "stormo-program" : std::filesystem::path(words.front()).filename();
}

/// An empty default is not shown: "--friend TEXT=[]".
template <typename Value>
bool isEmpty(const Value& value) {
  if constexpr (requires { value.empty(); }) return value.empty();
  return false;
}

std::string versionText(const std::string& name, const std::string& version) {
  return version.empty() ? "" : fmt::format("{} {} (Stormo {})", name, version, STORMO_VERSION);
}

}  // namespace

ProgramOptions::ProgramOptions(int argc, char** argv, ProgramInfo info)
    : words_(argv, argv + argc) {
  const std::string name = nameOf(words_);
  if (info.description.empty()) info.description = name + ", a server made with Stormo";
  commandLine_ = std::make_unique<process::CommandLine>(name, std::move(info.description),
                                                        versionText(name, info.version));
}

ProgramOptions::~ProgramOptions() = default;

template <typename Value>
void ProgramOptions::addTyped(const std::string& name, Value& value, const std::string& help) {
  if (!name.starts_with("--")) {
    throw std::invalid_argument("option '" + name + "': write its name as --name");
  }
  if (commandLine_->app().get_option_no_throw(name) != nullptr) {
    throw std::invalid_argument("option '" + name + "' exists in every program");
  }
  try {
    commandLine_->addStartOptions([&](CLI::App& app) {
      CLI::Option* option = nullptr;
      if constexpr (std::is_same_v<Value, bool>) {
        option = app.add_flag(name, value, help);
      } else {
        option = app.add_option(name, value, help);
        if (!isEmpty(value)) option->capture_default_str();
      }
      option->group("Options of this program");
    });
  } catch (const CLI::ConstructionError& wrong) {
    throw std::invalid_argument("option '" + name + "': " + wrong.what());
  }
}

void ProgramOptions::add(const std::string& name, bool& value, const std::string& help) {
  addTyped(name, value, help);
}
void ProgramOptions::add(const std::string& name, int& value, const std::string& help) {
  addTyped(name, value, help);
}
void ProgramOptions::add(const std::string& name, std::int64_t& value, const std::string& help) {
  addTyped(name, value, help);
}
void ProgramOptions::add(const std::string& name, std::uint16_t& value, const std::string& help) {
  addTyped(name, value, help);
}
void ProgramOptions::add(const std::string& name, std::size_t& value, const std::string& help) {
  addTyped(name, value, help);
}
void ProgramOptions::add(const std::string& name, double& value, const std::string& help) {
  addTyped(name, value, help);
}
void ProgramOptions::add(const std::string& name, std::string& value, const std::string& help) {
  addTyped(name, value, help);
}
void ProgramOptions::add(const std::string& name, std::vector<std::string>& value,
                         const std::string& help) {
  addTyped(name, value, help);
}

void ProgramOptions::addFile(const std::string& name, std::string& value, const std::string& help) {
  addTyped(name, value, help);
  commandLine_->addStartOptions([&](CLI::App& app) { process::takesFile(app.get_option(name)); });
}

bool ProgramOptions::parse() {
  isParsed_ = true;
  const auto status =
      commandLine_->parse({words_.begin() + (words_.empty() ? 0 : 1), words_.end()});
  exitStatus_ = status.value_or(0);
  return !status;
}

}  // namespace stormo
