#include "process/own_program.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace stormo::process {
namespace {

constexpr const char* kOwnFile = "/proc/self/exe";

bool isThisProgram(const std::string& path) {
  const auto found = ProgramFile::at(path);
  return found && found == ProgramFile::at(kOwnFile);
}

/// The path by which a shell has found the program; empty if it was not by its name.
std::string pathCalled(const std::string& name, const std::string& directory) {
  if (name.find('/') != std::string::npos) {
    const std::string path = std::filesystem::path(directory) / name;
    return isThisProgram(path) ? path : "";
  }
  const char* const folders = std::getenv("PATH");
  std::istringstream list(folders == nullptr ? "" : folders);
  for (std::string folder; std::getline(list, folder, ':');) {
    std::string path = std::filesystem::path(directory) / folder / name;
    if (isThisProgram(path)) return path;
  }
  return "";
}

}  // namespace

std::optional<ProgramFile> ProgramFile::at(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) < 0) return std::nullopt;
  return ProgramFile{found.st_dev, found.st_ino, found.st_size, found.st_mtim};
}

bool operator==(const ProgramFile& one, const ProgramFile& other) {
  return one.device == other.device && one.inode == other.inode && one.bytes == other.bytes &&
         one.modified.tv_sec == other.modified.tv_sec &&
         one.modified.tv_nsec == other.modified.tv_nsec;
}

OwnProgram OwnProgram::ofThisProcess() {
  OwnProgram own;
  std::error_code ignored;
  own.directory = std::filesystem::current_path(ignored);
  std::ifstream file("/proc/self/cmdline");
  for (std::string word; std::getline(file, word, '\0');) own.words.push_back(word);
  if (own.words.empty()) return own;
  own.path = pathCalled(own.words.front(), own.directory);
  if (own.path.empty()) own.path = std::filesystem::read_symlink(kOwnFile, ignored);
  return own;
}

}  // namespace stormo::process
