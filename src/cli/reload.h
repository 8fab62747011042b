#ifndef TARN_CLI_RELOAD_H
#define TARN_CLI_RELOAD_H

/*
 * Asks the daemon of LAKE to apply settings.yaml; findings and errors are said. 0; -EINVAL: the settings are wrong, the
 * old ones stay; -ENOTCONN: not mounted (nothing is said); -errno.
 */
int reload_lake(const char *lake);

#endif
