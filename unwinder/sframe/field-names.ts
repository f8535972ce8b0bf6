/** Names of the fields that were moved or renamed between versions (SFrame spec section 1.2). */
export interface FieldNames {
  readonly start: string;
  readonly freOffset: string;
  readonly rowCount: string;
  readonly info: string;
  readonly repSize: string;
}

export const NAMES_V3: FieldNames = {
  start: 'sfdi_func_start_offset',
  freOffset: 'sfdi_func_start_fre_off',
  rowCount: 'sfda_func_num_fres',
  info: 'sfda_func_info',
  repSize: 'sfda_func_rep_size',
};

export const NAMES_V1_V2: FieldNames = {
  start: 'sfde_func_start_address',
  freOffset: 'sfde_func_start_fre_off',
  rowCount: 'sfde_func_num_fres',
  info: 'sfde_func_info',
  repSize: 'sfde_func_rep_size',
};
