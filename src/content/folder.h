/*
 * Descriptors of folders, kept open for a while and shared: nearly every operation needs its folder, and opening one
 * by handle costs more than the operation. A bounded cache, least recently used first out; a descriptor in use lives
 * until its last folder_put().
 */
#ifndef TARN_CONTENT_FOLDER_H
#define TARN_CONTENT_FOLDER_H

#include <pthread.h>

struct inode;

struct folder_cache {
	pthread_mutex_t lock;
	struct inode *newest, *oldest;
	int n;
};

void folder_cache_init(struct folder_cache *c);
/* INODE leaves memory: its descriptor leaves the cache. */
void folder_cache_forget(struct folder_cache *c, struct inode *inode);
void folder_cache_drop(struct folder_cache *c);

#endif
