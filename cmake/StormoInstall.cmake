# `cmake --install`: headers, libstormo.a, and the files for CMake and pkg-config. The program
# `stormo` is installed by src/cli.
include(CMakePackageConfigHelpers)

install(TARGETS stormo EXPORT stormoTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ TYPE INCLUDE)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/stormo)
install(EXPORT stormoTargets NAMESPACE stormo:: DESTINATION ${package_dir})
configure_package_config_file(cmake/stormoConfig.cmake.in stormoConfig.cmake
  INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break compatibility.
write_basic_package_version_file(stormoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/stormoConfig.cmake ${PROJECT_BINARY_DIR}/stormoConfigVersion.cmake
  DESTINATION ${package_dir})

file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/stormo.pc.in stormo.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/stormo.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
