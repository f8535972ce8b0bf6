// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looks up SFrame rows in the guest's memory: its own section's, and those of what was loaded beside
 * it. From the SFrame specification, version 3: sections 2.2 (header), 2.3.1 (function index),
 * 2.3.2 (attributes), 2.4 (rows), 3.1.2 (rows on AArch64) and 3.2 (flexible rows).
 */
#include "unwind.h"

#define SFRAME_MAGIC 0xdee2
#define SFRAME_VERSION_3 3
#define HEADER_SIZE 28
#define INDEX_ENTRY_SIZE 16
#define ATTRIBUTE_SIZE 5
/* How far before the last function that begins at or before a PC one may lie that covers it. */
#define MAX_OVERLAP 8

#define INFO_ROW_TYPE 0x0f
#define INFO_REPEATED_BLOCK 0x10
#define INFO2_FUNCTION_TYPE 0x1f
#define FUNCTION_DEFAULT 0
#define FUNCTION_FLEXIBLE 1

#define ROW_BASE_IS_SP 0x01
#define ROW_WORDS(info) (((info) >> 1) & 15)
#define ROW_WORD_SHIFT(info) (((info) >> 5) & 3)

#define CONTROL_REGISTER 1
#define CONTROL_LOAD 2
#define CONTROL_REGISTER_SHIFT 3

#define REG_FP 29
#define REG_LR 30
#define REG_SP 31

extern const u8 __start_sframe_sec[], __stop_sframe_sec[];

struct sframe_section kw_sframe_sections[KW_NR_SFRAME_SECTIONS];

/* A little-endian number of 1, 2 or 4 bytes at any address. */
static __always_inline u32 load_unsigned(const u8 *at, u32 shift)
{
	if (shift == 0)
		return at[0];
	if (shift == 1)
		return at[0] | (u32)at[1] << 8;
	return at[0] | (u32)at[1] << 8 | (u32)at[2] << 16 | (u32)at[3] << 24;
}

static __always_inline s32 load_signed(const u8 *at, u32 shift)
{
	u32 unused = 32 - (8u << shift);

	return (s32)(load_unsigned(at, shift) << unused) >> unused;
}

static __always_inline u32 load_u32(const u8 *at)
{
	return load_unsigned(at, 2);
}

struct row_words {
	const u8 *at;
	u32 shift;
	u32 count;
	u32 next;
};

static __always_inline u32 next_unsigned(struct row_words *words)
{
	return load_unsigned(words->at + (words->next++ << words->shift), words->shift);
}

static __always_inline s32 next_signed(struct row_words *words)
{
	return load_signed(words->at + (words->next++ << words->shift), words->shift);
}

static __always_inline void set_value(struct sframe_value *value, enum sframe_where where, u32 base,
				      s32 offset)
{
	value->where = where;
	value->base = base;
	value->offset = offset;
}

/* A row of the usual kind: offsets of CFA, RA and FP, in this order; 0 is "not saved". */
static void read_default_row(u8 info, struct row_words *words, struct sframe_row *row)
{
	s32 offset;

	set_value(&row->cfa, SFRAME_VALUE, info & ROW_BASE_IS_SP ? REG_SP : REG_FP,
		  next_signed(words));
	offset = words->count > 1 ? next_signed(words) : 0;
	set_value(&row->ra, offset ? SFRAME_LOAD : SFRAME_IN_REGISTER, SFRAME_BASE_CFA, offset);
	offset = words->count > 2 ? next_signed(words) : 0;
	set_value(&row->fp, offset ? SFRAME_LOAD : SFRAME_IN_REGISTER, SFRAME_BASE_CFA, offset);
}

/* One value of a flexible row: a control word and an offset, or a control word of 0 alone. */
static void read_flexible_value(struct row_words *words, u32 own, struct sframe_value *value)
{
	u32 control;
	u32 base;
	s32 offset;

	set_value(value, SFRAME_IN_REGISTER, own, 0);
	if (words->next >= words->count)
		return;
	control = next_unsigned(words);
	if (!control)
		return;
	base = control & CONTROL_REGISTER ? control >> CONTROL_REGISTER_SHIFT : SFRAME_BASE_CFA;
	offset = next_signed(words);
	if (control & CONTROL_LOAD)
		set_value(value, SFRAME_LOAD, base, offset);
	else if (base != own || offset)
		set_value(value, SFRAME_VALUE, base, offset);
}

static void read_row(const u8 *info, bool flexible, struct sframe_row *row)
{
	struct row_words words = { info + 1, ROW_WORD_SHIFT(*info), ROW_WORDS(*info), 0 };
	u32 control;

	if (!words.count) {
		row->ra.where = SFRAME_UNDEFINED;
		return;
	}
	if (!flexible) {
		read_default_row(*info, &words, row);
		return;
	}
	control = next_unsigned(&words);
	set_value(&row->cfa, control & CONTROL_LOAD ? SFRAME_LOAD : SFRAME_VALUE,
		  control >> CONTROL_REGISTER_SHIFT, next_signed(&words));
	read_flexible_value(&words, REG_LR, &row->ra);
	read_flexible_value(&words, REG_FP, &row->fp);
}

/* The last row of a function that begins at or before an offset into it. */
static bool find_row(const u8 *attributes, u32 offset, struct sframe_row *row)
{
	u32 count = load_unsigned(attributes, 1);
	u8 info = attributes[2];
	u8 type = attributes[3] & INFO2_FUNCTION_TYPE;
	u32 start_shift = info & INFO_ROW_TYPE;
	const u8 *at = attributes + ATTRIBUTE_SIZE;
	const u8 *found = NULL;

	if (type > FUNCTION_FLEXIBLE || start_shift > 2)
		return false;
	if (!count && type == FUNCTION_DEFAULT) {
		row->ra.where = SFRAME_UNDEFINED;
		return true;
	}
	if ((info & INFO_REPEATED_BLOCK) && attributes[4])
		offset %= attributes[4];
	for (; count; count--) {
		const u8 *row_info = at + (1u << start_shift);

		if (load_unsigned(at, start_shift) > offset)
			break;
		found = row_info;
		at = row_info + 1 + (ROW_WORDS(*row_info) << ROW_WORD_SHIFT(*row_info));
	}
	if (!found)
		return false;
	read_row(found, type == FUNCTION_FLEXIBLE, row);
	return true;
}

static __always_inline u64 function_start(const u8 *entry)
{
	return (u64)entry + *(const s64 *)entry;
}

/* Functions are sorted by address, and their addresses are relative to themselves: so the linker does it. */
static bool find_in_section(const u8 *section, u64 pc, struct sframe_row *row)
{
	const u8 *body = section + HEADER_SIZE + section[7];
	const u8 *functions = body + load_u32(section + 20);
	const u8 *rows = body + load_u32(section + 24);
	u32 low = 0;
	u32 high = load_u32(section + 8);
	u32 tries;

	if (load_unsigned(section, 1) != SFRAME_MAGIC || section[2] != SFRAME_VERSION_3)
		return false;
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (function_start(functions + middle * INDEX_ENTRY_SIZE) <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	for (tries = 0; low > 0 && tries < MAX_OVERLAP; tries++) {
		const u8 *entry = functions + --low * INDEX_ENTRY_SIZE;
		u64 offset = pc - function_start(entry);

		if (offset < load_u32(entry + 8))
			return find_row(rows + load_u32(entry + 12), (u32)offset, row);
	}
	return false;
}

bool sframe_find(u64 pc, struct sframe_row *row)
{
	u32 i;

	if (find_in_section(__start_sframe_sec, pc, row))
		return true;
	for (i = 0; i < KW_NR_SFRAME_SECTIONS; i++) {
		const struct sframe_section *section = &kw_sframe_sections[i];

		if (section->start == section->end)
			break;
		if (find_in_section(section->start, pc, row))
			return true;
	}
	return false;
}
