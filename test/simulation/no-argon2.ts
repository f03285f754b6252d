/** Stands in for the argon2 module where no password is ever hashed. */
export default null;
